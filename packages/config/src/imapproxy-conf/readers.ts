/**
 * Readers of the values in an imapproxy.conf. A value that imapproxy would silently read as something else, such as `on`
 * for no, is a mistake here.
 */
import { isIP } from 'node:net'
import { closest } from '../closest.ts'

export type ReadResult<T> = { ok: true; value: T } | { ok: false; message: string }
export type Reader<T> = (text: string) => ReadResult<T>

const read = <T>(value: T): ReadResult<T> => ({ ok: true, value })
const refuse = (message: string): ReadResult<never> => ({ ok: false, message })

export const anyText: Reader<string> = read

/** imapproxy compares the first characters. It reads anything other than yes as no, also `on` and `1`. */
export const yesNo: Reader<boolean> = (word) => {
  if (/^(y|yes|true)$/i.test(word)) return read(true)
  if (/^(n|no|false)$/i.test(word)) return read(false)
  return refuse(`must be yes or no, not ${JSON.stringify(word)} (which imapproxy reads as no)`)
}

/** imapproxy reads only the leading digits, and 0 if there are none. */
export const unsignedNumber: Reader<number> = (word) =>
  /^\d{1,15}$/.test(word) ? read(Number(word)) : refuse(`must be a whole number, not ${JSON.stringify(word)}`)

/** A port number, or the name of an IMAP service in /etc/services. */
export const portOrService: Reader<number> = (word) => {
  const service = { imap: 143, imap2: 143, imaps: 993 }[word]
  if (service) return read(service)
  const number = unsignedNumber(word)
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

export const unprivilegedAccount: Reader<string> = (word) =>
  word === 'root' || word === '0' ? refuse('must not be root; use an account without privileges') : read(word)

/** One of the keys of a table. The result is its value. */
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
