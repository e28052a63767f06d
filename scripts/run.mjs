/** Starting other programs from the scripts: with their output kept or shown, and found without a shell. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export const root = join(import.meta.dirname, '..');
const windows = process.platform === 'win32';

/** The command of an installed package. */
export const bin = (name) => join(root, 'node_modules', '.bin', windows ? `${name}.cmd` : name);

/** The first of these programs that is on the PATH, or null. */
export function findProgram(...names) {
  for (const name of names) {
    for (const place of (process.env.PATH ?? '').split(delimiter)) {
      try {
        const file = join(place, windows ? `${name}.exe` : name);
        accessSync(file, constants.X_OK);
        return file;
      } catch {}
    }
  }
  return null;
}

/** @returns {Promise<{code: number, output: string}>} `show` passes the output through as it comes. */
export function run(command, args, { show = false, env = {}, cwd = root } = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
      shell: windows,
    });
    let output = '';
    const keep = (chunk) => {
      output += chunk;
    };
    child.stdout?.setEncoding('utf8').on('data', keep);
    child.stderr?.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => done({ code: 1, output: `${output}${error.message}` }));
    child.on('close', (code) => done({ code: code ?? 1, output }));
  });
}
