/** What the engine runs (ES2023); newer syntax becomes older one. */
export const TARGET = 'es2023';
