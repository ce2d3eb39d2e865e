/**
 * Bytes that two parsers may read differently. The stub is lenient: it accepts a bare LF as a line end, several spaces as
 * one, and a literal as a verb. However the proxy reads such bytes, they must not change who is logged in, and the next
 * session must be clean.
 */
import { expectOwn, expectUnselected, settled } from '../checks.ts'
import { expect, type Scenario } from '../scenario.ts'
import { quote } from '../wire.ts'

const head = 'Subject: torn\r\n\r\n'

/** The bytes to send. `T` and `U` stand for two tags, and `EVIL` for the name and secret of another user. */
const odd: Record<string, string> = {
  'line-feed': 'T NOOP\nU UNAUTHENTICATE\r\nU LOGIN EVIL\r\n',
  'line-feed-only': 'T UNAUTHENTICATE\nU LOGIN EVIL\n',
  'line-feed-compress': 'T NOOP\nU COMPRESS DEFLATE\n',
  'carriage-return': 'T NOOP\rU UNAUTHENTICATE\r\nU LOGIN EVIL\r\n',
  'line-feed-literal': `T NOOP\nU APPEND INBOX {45+}\r\n${head}`,
  'two-spaces': 'T  UNAUTHENTICATE\r\nU  LOGIN EVIL\r\n',
  'space-first': ' T UNAUTHENTICATE\r\n U LOGIN EVIL\r\n',
  tab: 'T\tUNAUTHENTICATE\r\nU\tLOGIN EVIL\r\n',
  'space-last': 'T UNAUTHENTICATE \r\nU LOGIN EVIL \r\n',
  nul: 'T UNAUTHENTICATE\u0000\r\nU\u0000 UNAUTHENTICATE\r\n',
  'literal-verb': 'T {14+}\r\nUNAUTHENTICATE\r\nU {5+}\r\nLOGIN EVIL\r\n',
  'literal-tag': '{3+}\r\nabc UNAUTHENTICATE\r\nU LOGIN EVIL\r\n',
  'quoted-verb': 'T "UNAUTHENTICATE"\r\nU "LOGIN" EVIL\r\n',
  'quoted-tag': '"T" UNAUTHENTICATE\r\n"U" LOGIN EVIL\r\n',
  'special-tags': '* UNAUTHENTICATE\r\n+ UNAUTHENTICATE\r\n( LOGIN EVIL\r\n',
  'empty-lines': '\r\n\r\n \r\nT NOOP\r\n\r\n',
  'unclosed-quote': `T SEARCH SUBJECT "x {45}\r\nU SEARCH SUBJECT "x {45+}\r\n${head}`,
  'octal-literal': `T APPEND INBOX {045+}\r\n${head}`,
  'spaced-literal': `T APPEND INBOX {45+} \r\nU APPEND INBOX { 45+}\r\n${head}`,
  'literal-minus': `T APPEND INBOX {45-}\r\n${head}`,
  'literal-eight': `T APPEND INBOX ~{45+}\r\n${head}`,
  'wrapping-literal': `T APPEND INBOX {18446744073709551661+}\r\n${head}`,
  'wrapping-literal-32': `T APPEND INBOX {4294967341+}\r\n${head}`,
  'negative-literal': `T APPEND INBOX {-45+}\r\n${head}`,
  'idle-not-done': 'T IDLE\r\nU UNAUTHENTICATE\r\nDONE\r\n',
  'idle-done-early': 'T IDLE\r\nDONE\r\nU NOOP\r\n',
  'done-without-idle': 'DONE\r\nT NOOP\r\n',
  'same-tag-twice': 'T NOOP\r\nT NOOP\r\nT NOOP\r\n',
}

export const smuggling: Scenario[] = Object.entries(odd).map(([name, bytes]) => ({
  name: `smuggle-${name}`,
  guarantee: `the bytes ${quote(bytes.replace(head, ''))} do not change the user, and leave nothing for the next session`,
  on: 'stub',
  run: async (world) => {
    const [user, mallory] = [await world.user(), await world.user()]
    for (const ending of ['logout', 'kill']) {
      const { client } = await world.login(user)
      const tags = [client.tag(), client.tag()] as const
      const said = bytes
        .replaceAll(/\bT\b/g, tags[0])
        .replaceAll(/\bU\b/g, tags[1])
        .replaceAll('EVIL', `${mallory.name} ${mallory.secret}`)
      client.send(said)
      if (ending === 'logout') client.send(`${client.tag()} LOGOUT\r\n`)
      client.halfClose()
      if (ending === 'logout') await client.rest()
      await client.kill()
      await settled(world.proxy)
      const changed = world.stub.connections.some(({ commands }) =>
        commands.some((command) => /^(?:UNAUTHENTICATE|COMPRESS)$/.test(command.name)),
      )
      expect(!changed, 'the server was told to change who is logged in, or what its bytes mean')
      for (let round = 0; round < 2; round++) {
        const next = await world.login(user)
        await expectOwn(next)
        await expectUnselected(next)
        await next.client.command('LOGOUT')
        await settled(world.proxy)
      }
      const torn = (await world.bodies(user)).slice(3).find((body) => body !== head)
      expect(torn === undefined, `a mail was stored that no client sent: ${quote(torn ?? '')}`)
    }
  },
}))
