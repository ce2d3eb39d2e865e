/** The checks of names and mail servers: each address is dialed once, including TLS and its capabilities, without a login. */
import { isIP } from 'node:net'
import type { EdgeConfig } from '@imapfleet/config'
import { edgeMetrics, findingsAbout, Metrics, type CheckFinding } from '@imapfleet/observe'
import { readCertificates } from '../edge/certificates.ts'
import { offers } from '../imap/capability.ts'
import { networksContain } from '../net/networks.ts'
import { systemNetwork } from '../net/system-network.ts'
import { dialAddress, type Dialed } from '../server/dial-address.ts'
import { learnAndClose } from '../server/identify.ts'
import type { Address } from '../server/resolver.ts'
import type { Server } from '../server/server.ts'
import { Servers } from '../server/servers.ts'

const loopback = ['127.0.0.0/8', '::1']

/** Empty if certificates cannot be read, which another check reports. */
export async function checkUpstreams(config: EdgeConfig, signal: AbortSignal): Promise<CheckFinding[]> {
  let contexts
  try {
    contexts = readCertificates(config).upstreams
  } catch {
    return []
  }
  const servers = new Servers(config, contexts, new Metrics(edgeMetrics), systemNetwork)
  const found = await Promise.all([...servers.all()].map((server) => checkServer(server, signal)))
  return found.flat()
}

async function checkServer(server: Server, signal: AbortSignal): Promise<CheckFinding[]> {
  const { resolver, config, name } = server
  resolver.refresh(config)
  // Each wait ends with the first answer of one more host.
  while (await resolver.nextAnswer(config, config.connectTimeoutMs, signal));
  const names = findingsAbout('names')
  const failures = resolver.failures(config)
  const addresses = resolver.known(config)
  const resolved = config.hosts
    .filter((host) => isIP(host) === 0 && !failures.has(host))
    .map((host) => {
      const found = addresses.filter((each) => each.host === host).map(({ address }) => address)
      return found.length > 0
        ? names.ok(`upstreams.${name}: ${host} is ${found.join(', ')}`)
        : names.fail(
            `upstreams.${name}: the name server did not answer for ${host}`,
            'check /etc/resolv.conf',
          )
    })
  const unresolved = [...failures.values()].map((reason) =>
    names.fail(`upstreams.${name}: ${reason}`, `check hosts of upstreams.${name}, and /etc/resolv.conf`),
  )
  const dialed = await Promise.all(addresses.map((address) => checkAddress(server, address, signal)))
  return [...resolved, ...unresolved, ...dialed.flat()]
}

async function checkAddress(server: Server, address: Address, signal: AbortSignal): Promise<CheckFinding[]> {
  const { name, config } = server
  const { ok, warn, fail } = findingsAbout('servers')
  const options = { signal, timeoutMs: config.connectTimeoutMs, preamble: server.proxyHeader() }
  const dialed = await dialAddress(server, address, options)
  if (dialed.kind === 'abandoned') return []
  if (dialed.kind === 'dial-failed')
    return [
      fail(`upstreams.${name}: ${dialed.detail}`, `check the server, and port and tls of upstreams.${name}`),
    ]
  const place = `upstreams.${name}: ${address.address} port ${config.port}`
  const { capabilities, isSecure } = dialed
  await learnAndClose(server, dialed, signal)
  return [
    ok(`${place} greets ${isSecure ? 'under' : 'without'} TLS and offers ${capabilities.join(' ')}`),
    ...(canLogIn(dialed)
      ? []
      : [fail(`${place} offers no login with a password`, `it may require TLS: set upstreams.${name}.tls`)]),
    ...(isSecure || networksContain(loopback, address.address)
      ? []
      : [
          warn(
            `${place}: passwords are sent without TLS`,
            `set upstreams.${name}.tls to starttls or implicit`,
          ),
        ]),
    ...(isSecure && !config.verify
      ? [
          warn(
            `${place}: its certificate is not verified`,
            `set upstreams.${name}.verify, and caFile if it needs one`,
          ),
        ]
      : []),
  ]
}

const canLogIn = ({ capabilities }: Dialed): boolean =>
  !offers(capabilities, 'LOGINDISABLED') ||
  offers(capabilities, 'AUTH=PLAIN') ||
  offers(capabilities, 'AUTH=LOGIN')
