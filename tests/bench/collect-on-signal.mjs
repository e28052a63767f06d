/** Loaded into a server (with --expose-gc) whose memory is measured: SIGUSR2 collects its garbage, so that only what is held counts. */
process.on('SIGUSR2', () => globalThis.gc());
