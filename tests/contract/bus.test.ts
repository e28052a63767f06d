import { describe } from 'vitest';
import { createMemoryBus } from '#server/bus/memory';
import { createLog } from '#server/observe/log';
import { busContract } from './bus.ts';

describe('bus: in the process', () => {
  busContract(async () => {
    const bus = createMemoryBus(createLog({ level: 'silent' }));
    return { here: bus, there: bus, [Symbol.asyncDispose]: () => bus.close() };
  });
});
