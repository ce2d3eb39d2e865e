/** `clients`: limits on client connections, most of them before login. They apply to all listeners together. */
import { z } from 'zod'
import { byteCount, durationMs, field, wholeNumber } from '../fields.ts'

export const clientsSection = z
  .strictObject({
    connectionsMax: field(
      wholeNumber(1).default(10_000),
      'Client connections at the same time, on all listeners, from accept to close. At the limit, a new client displaces the one that has waited longest without a login, on the listener with the most such clients; it gets BYE. If all clients have logged in, the new one is refused with BYE, or closed without BYE on a listener with tls: implicit.',
    ),
    connectionsPerAddressMax: field(
      wholeNumber(0).default(0),
      'Client connections at the same time from one IPv4 address or one IPv6 network of 64 bits. Behind a load balancer that sends PROXY headers, the address in the header counts. Further ones are refused with BYE, or closed without BYE on a listener with tls: implicit. 0: no limit, because a webmail connects from one address.',
    ),
    loginTimeoutMs: field(
      durationMs(1000).default(60_000),
      'Time limit from accept to the answer to a successful login, in milliseconds. It includes the PROXY header, the TLS handshake and the login at the server. When it expires, a login under way is answered NO and abandoned, and the edge closes the connection.',
    ),
    idleTimeoutMs: field(
      durationMs(1000).default(1_860_000),
      'Time without data in either direction after which a session ends, in milliseconds. A peer that takes the data slowly gets this time again as long as it takes some. RFC 9051 section 5.4 requires at least 30 minutes; the default is 31.',
    ),
    lineBytesMax: field(
      byteCount(512, 1_048_576).default(65_536),
      'Longest command line that a client may send before its login, in bytes, without literals. If a line is longer, the edge closes the connection. After the login, lines may have any length: the edge holds a line of up to this many bytes until it is complete, and forwards longer lines as they arrive.',
    ),
    preloginBytesMax: field(
      byteCount(1024, 16_777_216).default(65_536),
      'Bytes that a client may send before its login, literals included. Beyond that, the edge closes the connection.',
    ),
    preloginCommandsMax: field(
      wholeNumber(1, 10_000).default(50),
      'Commands that a client may send before its login. Beyond that, the edge closes the connection.',
    ),
    loginFailuresMax: field(
      wholeNumber(1, 100).default(3),
      'Refused logins on one connection. After the last one, the edge closes the connection.',
    ),
  })
  .prefault({})
