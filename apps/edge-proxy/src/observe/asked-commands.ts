/**
 * The unanswered commands of a traced client. The text of a reply may repeat arguments of the command (`BAD Unknown argument
 * holiday`), so it is shown only if no part of the command is hidden.
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

  /** A command begins, or a part of it has to be hidden. */
  ask(tag: string, hidesReply: boolean): void {
    const before = this.#hidesReply.get(tag)
    if (before === undefined && this.#hidesReply.size >= commandsMax) {
      this.#isIncomplete = true
      return
    }
    if (hidesReply && before !== true) this.#hiding++
    this.#hidesReply.set(tag, hidesReply || before === true)
  }

  /** The tagged reply has arrived. Undefined: the command is unknown. */
  answer(tag: string): { hidesReply: boolean } | undefined {
    const hidesReply = this.#hidesReply.get(tag)
    if (hidesReply === undefined) return undefined
    this.#hidesReply.delete(tag)
    if (hidesReply) this.#hiding--
    return { hidesReply }
  }

  /** Whether untagged text may repeat hidden arguments of a command in progress. */
  get hideText(): boolean {
    return this.#isIncomplete || this.#hiding > 0
  }
}
