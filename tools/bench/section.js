// One section of the head-end's bench: section.js <name> [--quick]. Its figures go to the parent process.
import { FULL, QUICK, sections } from './sections.js';

const [name, quick] = process.argv.slice(2);
process.send(await sections[name](quick ? QUICK : FULL), () => process.disconnect());
