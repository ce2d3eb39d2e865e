/** Values as imapproxy.conf writes them. What imapproxy would quietly take for something else is a mistake here. */
import { isIP } from 'node:net'
import { closest } from '../closest.ts'

export type Read<T> = { ok: true; value: T } | { ok: false; message: string }
export type Reader<T> = (text: string) => Read<T>

const read = <T>(value: T): Read<T> => ({ ok: true, value })
const refuse = (message: string): Read<never> => ({ ok: false, message })

export const text: Reader<string> = read

/** imapproxy compares the beginning and takes everything that is not a yes for a no: `on` and `1` are no. */
export const yesNo: Reader<boolean> = (word) => {
  if (/^(y|yes|true)$/i.test(word)) return read(true)
  if (/^(n|no|false)$/i.test(word)) return read(false)
  return refuse(`must be yes or no, not ${JSON.stringify(word)} (which imapproxy takes for no)`)
}

/** imapproxy takes the digits that a value begins with, and 0 if there are none. */
export const wholeNumber: Reader<number> = (word) =>
  /^\d{1,15}$/.test(word) ? read(Number(word)) : refuse(`must be a whole number, not ${JSON.stringify(word)}`)

/** A port, or one of the services that an IMAP proxy meets by name. */
export const port: Reader<number> = (word) => {
  const service = { imap: 143, imap2: 143, imaps: 993 }[word]
  if (service) return read(service)
  const number = wholeNumber(word)
  return number.ok && number.value >= 1 && number.value <= 65_535
    ? number
    : refuse(`must be a port from 1 to 65535, not ${JSON.stringify(word)}`)
}

export const listenAddress: Reader<string> = (word) => {
  const address = { '*': '0.0.0.0', localhost: '127.0.0.1' }[word] ?? word
  return isIP(address)
    ? read(address)
    : refuse(`must be an address such as 127.0.0.1, not ${JSON.stringify(word)}`)
}

export const account: Reader<string> = (word) =>
  word === 'root' || word === '0'
    ? refuse('must not be root; name an account without privileges')
    : read(word)

/** One of the keys of a table, read as its value. */
export const oneOf =
  <T>(table: Readonly<Record<string, T>>): Reader<T> =>
  (word) => {
    if (Object.hasOwn(table, word)) return read(table[word]!)
    const near = closest(word, Object.keys(table))
    const got = JSON.stringify(word)
    return refuse(
      near
        ? `must not be ${got}; did you mean ${near}?`
        : `must be one of ${Object.keys(table).join(', ')}, not ${got}`,
    )
  }
