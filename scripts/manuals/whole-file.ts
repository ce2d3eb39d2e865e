/** A file that is made from the code as a whole. */

export interface WholeFile {
  /** From the root of the repository. */
  file: string
  text(): string
}
