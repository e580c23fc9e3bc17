/** The same value for the one place that may change it. */
export type Mutable<T> = { -readonly [key in keyof T]: T[key] };
