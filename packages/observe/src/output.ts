/** What a command does when its standard output cannot be written. Not in `index.ts`, because the console has no process. */

/**
 * The reader of a pipe may leave at any time (`| head`): the rest of the output is dropped. If it is lost for another reason, such
 * as a full disk, the command says so, and its exit status is not 0.
 * @param program begins the message
 * @param stop ends the command, with the exit status that it has
 */
export function watchOutput(program: string, stop: () => void): void {
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE') {
      process.stderr.write(`${program}: cannot write the output: ${code ?? message}\n`)
      process.once('exit', () => (process.exitCode ||= 1))
    }
    stop()
  })
}
