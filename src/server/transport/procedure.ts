/** A procedure, found by its path and called. */
import { type AnyTRPCRouter, getTRPCErrorFromUnknown, TRPCError } from '@trpc/server';
import type { Context } from '../context.ts';

export type ProcedureType = 'query' | 'mutation' | 'subscription';

export interface Call {
  readonly ctx: Context;
  readonly path: string;
  readonly type: ProcedureType;
  readonly input: unknown;
  readonly batchIndex: number;
}

interface Given {
  readonly path: string;
  readonly type: ProcedureType;
  readonly batchIndex: number;
  readonly signal: undefined;
  readonly meta: unknown;
}
/** What a middleware may replace for those after it. */
interface State {
  readonly ctx: object;
  readonly input: unknown;
  readonly getRawInput: () => Promise<unknown>;
}
type Result = { readonly ok: true; readonly data: unknown } | { readonly ok: false; readonly error: TRPCError };
type Next = (over?: Partial<State>) => Promise<Result>;
type Middleware = (opts: Given & State & { readonly next: Next }) => Promise<Result>;

/** What tRPC keeps of a procedure. */
export interface Procedure {
  readonly _def: { readonly type: ProcedureType; readonly meta?: unknown; readonly middlewares: readonly Middleware[] };
}

/** @throws TRPCError NOT_FOUND, also for one of another type */
export function procedureAt(router: AnyTRPCRouter, path: string, type: ProcedureType): Procedure {
  const procedures = router._def.procedures as Readonly<Record<string, Procedure>>;
  const found = Object.hasOwn(procedures, path) ? procedures[path] : undefined;
  if (found?._def.type !== type) throw new TRPCError({ code: 'NOT_FOUND' });
  return found;
}

/**
 * Through all middlewares, the resolver being the last. tRPC's own caller does the same and copies options and context at each,
 * twice, by a helper of its build that goes key by key: a third of what a small call costs. Written out, literals are cheap.
 * Nothing here is `async`: of a thousand calls that wait, each level of each would be a generator with its registers and closures.
 * @throws TRPCError
 */
export function run(procedure: Procedure, { ctx, path, type, input, batchIndex }: Call): Promise<unknown> {
  const given = { path, type, batchIndex, signal: undefined, meta: procedure._def.meta };
  const getRawInput = () => Promise.resolve(input);
  return step(procedure._def.middlewares, 0, given, { ctx, input: undefined, getRawInput }).then(dataOf);
}

function step(
  middlewares: readonly Middleware[],
  index: number,
  given: Given,
  { ctx, input, getRawInput }: State,
): Promise<Result> {
  const { path, type, batchIndex, signal, meta } = given;
  const next = (over?: Partial<State>) =>
    step(middlewares, index + 1, given, {
      ctx: over?.ctx ? merged(ctx, over.ctx) : ctx,
      input: over && 'input' in over ? over.input : input,
      getRawInput: over?.getRawInput ?? getRawInput,
    });
  const middleware = middlewares[index];
  if (!middleware) return Promise.resolve(failed(new TypeError('the resolver is the last middleware')));
  return middleware({ ctx, path, type, batchIndex, signal, meta, input, getRawInput, next }).catch(failed);
}

function dataOf(result: Result): unknown {
  if (!result.ok) throw result.error;
  return result.data;
}

const failed = (cause: unknown): Result => ({ ok: false, error: getTRPCErrorFromUnknown(cause) });

/** Our own middleware gives a whole context, so that nothing is copied for it. */
const merged = (ctx: object, over: object): object => ('deps' in over ? over : { ...ctx, ...over });
