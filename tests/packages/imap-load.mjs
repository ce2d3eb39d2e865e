/**
 * Webmail: pages one after the other, and sessions that stay open, until SIGTERM. Prints its counts as a line of JSON several times a
 * second; the last line is the result. Runs on a host without packages: `node imap-load.mjs PORT USER PASSWORD`.
 */
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const [port, user, password] = process.argv.slice(2)
const result = { pages: 0, commands: 0, failures: [] }
let isOver = false

class Session {
  #socket
  #text = ''
  #heard = () => {}
  #isClosed = false

  constructor() {
    this.#socket = connect({ port: Number(port), host: '127.0.0.1' })
    this.#socket.setEncoding('latin1').on('data', (chunk) => {
      this.#text += chunk
      this.#heard()
    })
    this.#socket.on('error', (error) => (this.#text += error.message))
    this.#socket.on('close', () => {
      this.#isClosed = true
      this.#heard()
    })
  }

  /** Throws if the answer is not OK, or if the connection ends before it. */
  async command(line, tag = 'a') {
    this.#text = ''
    this.#socket.write(`${tag} ${line}\r\n`)
    await this.#until(new RegExp(`^${tag} (?:OK|NO|BAD).*\r\n`, 'm'))
    if (!new RegExp(`^${tag} OK`, 'm').test(this.#text))
      throw new Error(`${line.split(' ')[0]}: ${this.#text}`)
  }

  async greeted() {
    await this.#until(/^\* OK.*\r\n/)
    return this
  }

  async #until(pattern) {
    while (!pattern.test(this.#text)) {
      if (this.#isClosed) throw new Error(`the connection ended: ${this.#text}`)
      await new Promise((resolve) => (this.#heard = resolve))
    }
  }

  end() {
    this.#socket.destroy()
  }
}

async function session(use) {
  const opened = new Session()
  try {
    await opened.greeted()
    await opened.command(`LOGIN ${user} ${password}`)
    await use(opened)
    await opened.command('LOGOUT')
  } catch (error) {
    result.failures.push(error.message)
  } finally {
    opened.end()
  }
}

async function pages() {
  while (!isOver) {
    await session((opened) => opened.command('SELECT INBOX'))
    result.pages += 1
  }
}

const staying = () =>
  session(async (opened) => {
    while (!isOver) {
      await opened.command('NOOP')
      result.commands += 1
      await pause(100)
    }
  })

const shown = setInterval(() => console.log(JSON.stringify(result)), 200)
process.on('SIGTERM', () => (isOver = true))
await Promise.all([pages(), pages(), pages(), staying(), staying(), staying()])
clearInterval(shown)
console.log(JSON.stringify(result))
