/** Whether this process still takes work. One object, shared by everything that answers. */
export interface ServerState {
  draining: boolean;
}
