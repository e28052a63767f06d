/** Who may import whom, as .dependency-cruiser.cjs says; and that the cruiser saw the code at all. */
import { bin, run } from './run.mjs';

const { code, output } = await run(bin('depcruise'), ['--config', '.dependency-cruiser.cjs', 'src', 'web', 'tests']);
console.log(output.trimEnd());
// With a compiler it cannot use it reports "0 modules" and succeeds.
const modules = Number(/(\d+) modules/.exec(output)?.[1] ?? 0);
if (modules < 20) console.error(`dependency-cruiser saw ${modules} modules: the check proves nothing`);
process.exitCode = code !== 0 || modules < 20 ? 1 : 0;
