import assert from 'node:assert/strict'
import { isIP, SocketAddress } from 'node:net'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { wire } from '../imap/cuts.test-support.ts'
import { parseProxyHeader, printProxyHeader } from './proxy-header.ts'

const signature = '\r\n\r\n\0\r\nQUIT\n'

/** Version 2, built according to proxy-protocol.txt. */
function version2(command: number, family: number, body: string): string {
  return `${signature}${String.fromCharCode(command, family, body.length >> 8, body.length & 255)}${body}`
}

const headers: Record<string, string | undefined> = {
  'PROXY TCP4 192.0.2.7 198.51.100.1 56324 143\r\n': '192.0.2.7',
  'PROXY TCP6 2001:db8::7 2001:db8::1 56324 143\r\n': '2001:db8::7',
  'PROXY UNKNOWN\r\n': undefined,
  'PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n': undefined,
  [version2(0x21, 0x11, '\xc0\0\x02\x07\xc6\x33\x64\x01\xdc\x04\0\x8f')]: '192.0.2.7',
  [version2(0x21, 0x11, '\xc0\0\x02\x07\xc6\x33\x64\x01\xdc\x04\0\x8f\x01\0\x02h2')]: '192.0.2.7',
  [version2(0x21, 0x21, `\x20\x01\x0d\xb8${'\0'.repeat(11)}\x07${'\0'.repeat(20)}`)]: '2001:db8:0:0:0:0:0:7',
  [version2(0x20, 0x00, '')]: undefined,
  [version2(0x20, 0x11, '\xc0\0\x02\x07\xc6\x33\x64\x01\xdc\x04\0\x8f')]: undefined,
  [version2(0x21, 0x00, 'anything')]: undefined,
}

test('a header is complete at its last byte, however it is cut, and the bytes after it are not read', () => {
  for (const [text, address] of Object.entries(headers)) {
    for (let end = 0; end < text.length; end++)
      assert.deepEqual(
        parseProxyHeader(wire(text.slice(0, end))),
        { kind: 'more' },
        JSON.stringify(text.slice(0, end)),
      )
    for (const behind of ['', 'a1 NOOP\r\n', '\r\n', text])
      assert.deepEqual(parseProxyHeader(wire(text + behind)), {
        kind: 'header',
        length: text.length,
        address,
      })
  }
})

test('bytes that cannot become a header are refused immediately', () => {
  for (const text of [
    'a1 LOGIN joe secret\r\n',
    'GET / HTTP/1.1\r\n',
    '\x16\x03\x01\x02\x00',
    'PROXY\r\n',
    'PROXY TCP4\r\n',
    'PROXY TCP4 192.0.2.7\r\n',
    'PROXY TCP4 host 198.51.100.1 56324 143\r\n',
    'PROXY UDP4 192.0.2.7 198.51.100.1 56324 143\r\n',
    `PROXY TCP4 ${'1'.repeat(200)}`,
    version2(0x11, 0x11, '\xc0\0\x02\x07\xc6\x33\x64\x01\xdc\x04\0\x8f'),
    version2(0x22, 0x11, '\xc0\0\x02\x07\xc6\x33\x64\x01\xdc\x04\0\x8f'),
    version2(0x21, 0x11, 'short'),
    version2(0x21, 0x21, 'short'),
    version2(0x21, 0x31, 'x'.repeat(216)),
  ])
    assert.deepEqual(parseProxyHeader(wire(text)), { kind: 'bad' }, JSON.stringify(text))
})

const port = fc.integer({ min: 0, max: 65_535 })
const address = fc.oneof(fc.ipV4(), fc.ipV6())

test('parsing a printed header gives the address of the client, in both versions', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2),
      address,
      address,
      port,
      port,
      (version, source, destination, one, two) => {
        const header = printProxyHeader(version, {
          source,
          destination,
          sourcePort: one,
          destinationPort: two,
        })
        const parsed = parseProxyHeader(Buffer.concat([header, wire('* OK')]))
        assert.ok(parsed.kind === 'header')
        assert.equal(parsed.length, header.length)
        assert.equal(normal(parsed.address!), normal(source, destination))
      },
    ),
    { seed: 15, numRuns: 1000 },
  )
})

/** The address in canonical form. IPv4 is mapped if the other address is IPv6. */
function normal(text: string, other = '1.1.1.1'): string {
  if (isIP(text) === 4 && isIP(other) === 4) return text
  const mapped = isIP(text) === 4 ? `::ffff:${text}` : text
  return new SocketAddress({ address: mapped, family: 'ipv6' }).address
}

test('no input makes the parser throw', () => {
  const parts = fc.array(
    fc.constantFrom(
      'PROXY ',
      'TCP4 ',
      'TCP6 ',
      '1.2.3.4 ',
      '::1 ',
      '99999 ',
      '\r\n',
      signature,
      '\x21',
      '\x11',
      '\0',
      '\xff',
    ),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(parts, (texts) => {
      const header = parseProxyHeader(wire(texts.join('')))
      if (header.kind === 'header') assert.ok(header.length <= texts.join('').length)
    }),
    { seed: 16, numRuns: 2000 },
  )
})

test('a header with an invalid address or port is refused', () => {
  for (const text of [
    'PROXY TCP4 192.0.2.7 198.51.100.1 x 143\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 56324 x\r\n',
    'PROXY TCP4 999.1.1.1 198.51.100.1 56324 143\r\n',
    'PROXY TCP4 2001:db8::7 198.51.100.1 56324 143\r\n',
    'PROXY TCP6 192.0.2.7 198.51.100.1 56324 143\r\n',
    'PROXY TCP6 :::: ::1 56324 143\r\n',
    'PROXY TCP4 192.0.2 198.51.100.1 56324 143\r\n',
  ])
    assert.deepEqual(parseProxyHeader(wire(text)), { kind: 'bad' }, JSON.stringify(text))
})
