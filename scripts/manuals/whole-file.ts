/** A generated file. */

export interface WholeFile {
  /** From the root of the repository. */
  file: string
  text(): string
}
