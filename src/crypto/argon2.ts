/** The one function of its library that is used, so that loading it later brings nothing else along. */
export { argon2id } from 'hash-wasm';
