export { isScript, SCRIPT_EXTENSIONS } from './bundle.ts';
export type { ServiceFacts } from './check-exports.ts';
export { type Examined, examine } from './examine.ts';
export { serviceFile } from './service-file.ts';
