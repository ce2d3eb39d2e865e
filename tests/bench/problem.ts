/** An expected failure of a benchmark. The message is one line that says what to do. */
export class BenchError extends Error {}
