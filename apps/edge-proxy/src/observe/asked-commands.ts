/**
 * The commands of a traced client that the server has not completed. The text of a reply may repeat what the command said
 * (`BAD Unknown argument holiday`). It is shown only if nothing of the command is hidden.
 */

/** With more commands than this in progress, the text of replies is hidden. */
const commandsMax = 1000

export class AskedCommands {
  /** By tag: whether the text of the reply may repeat mail. */
  readonly #hidesReply = new Map<string, boolean>()
  #hiding = 0
  /** Commands that this trace does not know may be in progress. */
  #isIncomplete: boolean

  /** @param isComplete whether the trace has seen every command of the session */
  constructor(isComplete: boolean) {
    this.#isIncomplete = !isComplete
  }

  /** A command begins, or turns out to hold mail. */
  ask(tag: string, hidesReply: boolean): void {
    const before = this.#hidesReply.get(tag)
    if (before === undefined && this.#hidesReply.size >= commandsMax) {
      this.#isIncomplete = true
      return
    }
    if (hidesReply && before !== true) this.#hiding++
    this.#hidesReply.set(tag, hidesReply || before === true)
  }

  /** The tagged reply has come. Undefined: no such command is known. */
  answer(tag: string): { hidesReply: boolean } | undefined {
    const hidesReply = this.#hidesReply.get(tag)
    if (hidesReply === undefined) return undefined
    this.#hidesReply.delete(tag)
    if (hidesReply) this.#hiding--
    return { hidesReply }
  }

  /** Whether text without a tag may repeat what a command in progress said. */
  get hideText(): boolean {
    return this.#isIncomplete || this.#hiding > 0
  }
}
