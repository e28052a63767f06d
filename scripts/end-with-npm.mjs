/**
 * npm passes a signal to the shell it started, and the shell to nobody: without this the server would outlive both, with
 * the port and the data directory in its hands. Ends it in the orderly way once its parent is gone.
 */
const parent = process.ppid;
if (process.env.npm_lifecycle_event) {
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 300);
  watch.unref();
}
