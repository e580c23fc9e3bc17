export { checkScriptFile, isScript, SCRIPT_EXTENSIONS } from './bundle.ts';
export type { ServiceFacts } from './check-exports.ts';
export { type Examined, examine, openService } from './examine.ts';
export type { Outcome, Runner } from './runner.ts';
export { serviceFile } from './service-file.ts';
export { exportsOf } from './web-assembly.ts';
