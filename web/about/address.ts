/** Where it is told, in a file of its own: the page itself is loaded when somebody goes there. */
export const SERVER_KNOWS = '/what-the-server-knows';
