/** What stops a benchmark and is not a bug in it: the message is one line that says what to do. */
export class BenchError extends Error {}
