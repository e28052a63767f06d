/** Owns how errors cross the border of the worker: comlink by itself would drop their codes. Imported on both sides. */
import { transferHandlers } from 'comlink';
import { must } from '#lib/must';

/** What our errors carry beside name and message. */
const FIELDS = ['code', 'reason', 'retryAfterMs'] as const;

const plain = must(transferHandlers.get('throw'), 'comlink has a handler for what is thrown');

transferHandlers.set('throw', {
  canHandle: plain.canHandle,
  serialize(thrown: { value: unknown }) {
    const [serialized, transfers] = plain.serialize(thrown) as [{ value: Record<string, unknown> }, Transferable[]];
    if (thrown.value instanceof Error) {
      const fields = thrown.value as Error & Record<string, unknown>;
      for (const field of FIELDS) if (field in fields) serialized.value[field] = fields[field];
    }
    return [serialized, transfers];
  },
  // Puts every field it gets onto the error it throws.
  deserialize: plain.deserialize,
});
