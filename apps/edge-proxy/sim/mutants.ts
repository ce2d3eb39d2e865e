/**
 * Planted faults of the edge: each changes what the code means, so that a guarantee is lost. `npm run sim -- --mutants` counts
 * how many the unit tests and the simulation find. `find` occurs once in its file.
 */
import { mutantsOfSplice } from './mutants-splice.ts'

export interface Mutant {
  /** Within apps/edge-proxy/src. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** The guarantee that is lost. */
  readonly breaks: string
}

export const mutants: readonly Mutant[] = [
  // A mail server that restarts, or fails logins.
  {
    file: 'server/connect-gate.ts',
    find: '    if (turns.entered >= max) return false',
    replace: '    if (turns.entered >= max * 3) return false',
    breaks: 'an address gets at most connectsMax attempts to connect at a time',
  },
  {
    file: 'server/connect-gate.ts',
    find: "      signal.addEventListener('abort', onAbort)\n      turns",
    replace: '      turns',
    breaks: 'a login that waits for its turn to connect is answered within its time',
  },
  {
    file: 'server/addresses.ts',
    find: '    return this.#entries.size === 0',
    replace: '    return true',
    breaks: 'no connection is opened ahead while an address is down, so that a login tries it again',
  },
  {
    file: 'server/connect-ahead.ts',
    find: '    this.#server.endTurn()\n',
    replace: '',
    breaks: 'with roundRobin, a login on a connection that was opened ahead takes its turn',
  },
  {
    file: 'server/open-connection.ts',
    find: '    const unreadMs = 2 * (server.knowledge?.roundTripMs ?? 0) + slackMs',
    replace: '    const unreadMs = 0',
    breaks: 'a login whose connection was opened ahead and has ended gets another one',
  },
  {
    file: 'server/dial-address.ts',
    find: 'options.isTentative !== true && countsAsFailure',
    replace: 'countsAsFailure',
    breaks: 'a connection ahead that fails does not mark the address as down',
  },
  {
    file: 'server/connect-ahead.ts',
    find: '      this.#server.proxyHeader() === undefined &&\n',
    replace: '',
    breaks: 'no connection is opened ahead where a PROXY header must name the client',
  },
  {
    file: 'server/addresses.ts',
    find: '      ...addresses.filter(isTrial),\n',
    replace: '',
    breaks: 'an address that works again gets logins',
  },
  {
    file: 'server/addresses.ts',
    find: '    return others > 0 && others * 2 >= known.size\n',
    replace: '    return true\n',
    breaks: 'at least half of the addresses stay in use, however many logins fail',
  },
  {
    file: 'server/addresses.ts',
    find: '    if ((this.#entries.get(address.address)?.heldUntil ?? 0) > now) return\n',
    replace: '',
    breaks: 'an address that fails logins stays out of use, although it greets',
  },
  {
    file: 'pool/pool.ts',
    find: 'onServed && request.holder.isConnected && fitsLogin(idle, request))',
    replace: 'onServed && request.holder.isConnected)',
    breaks:
      'a login that waits to connect gets a connection of its secret, also behind a login with another one',
  },
  // Who may use a connection.
  {
    file: 'pool/key.ts',
    find: '\\0${credentials.authzid.toString(',
    replace: '\\0${credentials.user.toString(',
    breaks: 'a connection serves only the user that its login acts as',
  },
  {
    file: 'pool/key.ts',
    find: '    connection.enabledKey === enabledKey &&\n',
    replace: '',
    breaks: 'a session gets no extensions that others have enabled',
  },
  {
    file: 'pool/key.ts',
    find: '    isSameSecret(connection.secretDigest, secretDigest)\n  )',
    replace: '    connection.secretDigest !== secretDigest.slice(99)\n  )',
    breaks: 'a connection serves only logins with its secret',
  },
  {
    file: 'pool/key.ts',
    find: 'return `${serverName}\\0${mechanismClass(credentials)}\\0${names}`',
    replace: 'return `${serverName}\\0${mechanismClass(credentials)}\\0${names.slice(0, 1)}`',
    breaks: 'users have identities of their own',
  },
  {
    file: 'pool/pool.ts',
    find: '          this.connections.isIdle(own) &&\n          fits(own',
    replace: '          fits(own',
    breaks: 'a connection in use is not leased',
  },
  {
    file: 'pool/pool.ts',
    find: '      const reason = unfitToLease(found, request.server.generation, settings.current.pool, clock)\n      if (reason === undefined) {',
    replace:
      "      const reason = unfitToLease(found, request.server.generation, settings.current.pool, clock)\n      if (reason !== '') {",
    breaks: 'an idle connection that is not fit is not leased',
  },
  {
    file: 'pool/fitness.ts',
    find: '  if (connection.distrustReason !== undefined) return connection.distrustReason\n',
    replace: '',
    breaks: 'a distrusted connection is not kept',
  },
  {
    file: 'pool/fitness.ts',
    find: "  if (connection.generation !== generation) return 'config-changed'\n",
    replace: '',
    breaks: 'a connection of former settings is not kept',
  },
  {
    file: 'pool/fitness.ts',
    find: "  return connection.uses >= pool.usesMax ? 'used-up' : undefined",
    replace: '  return undefined',
    breaks: 'a connection serves a bounded number of sessions',
  },
  {
    file: 'pool/fitness.ts',
    find: "  if (clock.now() - connection.openedAt > pool.lifetimeMaxMs) return 'too-old'\n",
    replace: '',
    breaks: 'a connection has a bounded age',
  },
  {
    file: 'pool/fitness.ts',
    find: "  return idle.scanner.atBoundary ? unfitToRest(idle, generation, pool, clock) : 'unfinished-reply'",
    replace: '  return unfitToRest(idle, generation, pool, clock)',
    breaks: 'a connection within a response is not leased',
  },
  // Evidence, revocation and purge.
  {
    file: 'pool/evidence.ts',
    find: "    this.#apply(userKey, 'secret-superseded', (own) => !isSameSecret(own.secretDigest, secretDigest))\n",
    replace: '',
    breaks: 'a new secret ends the trust in the others',
  },
  {
    file: 'pool/evidence.ts',
    find: "      ? this.#apply(userKey, 'secret-refused', (own) => isSameSecret(own.secretDigest, secretDigest))",
    replace: '      ? 0',
    breaks: 'a refused secret ends the connections that it opened',
  },
  {
    file: 'pool/evidence.ts',
    find: '    for (const dial of this.#connections.dials())\n      if (userKeyOf(dial.openedBy) === userKey && isAffected(dial)) dial.distrust(reason)\n',
    replace: '',
    breaks: 'evidence concerns logins that are under way',
  },
  {
    file: 'pool/evidence.ts',
    find: '    const affected = this.#connections.openedBy(userKey).filter(isAffected)\n',
    replace: '    const affected = this.#connections.openedBy(userKey).filter(isAffected).slice(1)\n',
    breaks: 'evidence concerns every connection of the user',
  },
  {
    file: 'pool/known-secrets.ts',
    find: '    digests.splice(index, 1)\n    this.#count--\n',
    replace: '    this.#count--\n',
    breaks: 'a secret that was refused counts as new when it is accepted again',
  },
  {
    file: 'pool/pool.ts',
    find: '    for (const dial of this.connections.dials()) if (isMeant(dial)) dial.distrust(reason)\n',
    replace: '',
    breaks: 'a revocation concerns logins that are under way',
  },
  {
    file: 'pool/pool.ts',
    find: '    else connection.distrust(reason)\n  }',
    replace: '  }',
    breaks: 'a connection in use is not kept after a revocation',
  },
  {
    file: 'pool/pool.ts',
    find: '    if (this.connections.isIdle(connection)) this.drop(connection, reason)\n    else connection.distrust(reason)',
    replace: '    connection.distrust(reason)',
    breaks: 'a revocation closes idle connections at once',
  },
  {
    file: 'pool/dialer.ts',
    find: '  if (dial.distrustReason !== undefined) connection.distrust(dial.distrustReason)\n',
    replace: '',
    breaks: 'a login that was distrusted while it was under way opens no connection that is kept',
  },
  {
    file: 'pool/dialer.ts',
    find: '  evidence.accepted(request)\n',
    replace: '',
    breaks: 'an accepted secret is evidence',
  },
  {
    file: 'pool/lease.ts',
    find: "  return reason ?? (status === 'BAD' ? 'bad-command' : 'wrong-credentials')",
    replace: "  return reason ?? (status === 'BAD' ? 'bad-command' : 'unavailable')",
    breaks: 'a NO without a code refuses the secret',
  },
  {
    file: 'ops/operations.ts',
    find: "  return context.pool.purge(({ user, openedBy }) => isMeant(user) || isMeant(openedBy), 'revoked')",
    replace: "  return isMeant('') ? 1 : 0",
    breaks: 'a revocation has an effect',
  },
  {
    file: 'ops/operations.ts',
    find: "    kind === 'user' ? user.toLowerCase() === wanted",
    replace: "    kind === 'user' ? user === subject",
    breaks: 'a revocation ignores case',
  },
  // What comes back to the pool.
  {
    file: 'pool/pool.ts',
    find: '    const refusal = handBack.refusal ?? this.#unfit(connection)\n',
    replace: '    const refusal = this.#unfit(connection)\n',
    breaks: 'a connection that its session refuses to give back is closed',
  },
  {
    file: 'pool/pool.ts',
    find: '    return unfitToKeep(connection, this.#generationFor(connection), settings.current.pool, clock)\n',
    replace: '    return undefined\n',
    breaks: 'a connection that is not fit is closed after its session',
  },
  {
    file: 'pool/pool.ts',
    find: '        : (spoiledSinceProof(connection) ?? this.#unfit(connection))',
    replace: '        : undefined',
    breaks: 'what happens during a reset counts',
  },
  {
    file: 'pool/pool.ts',
    find: '    if (refusal !== undefined) return this.#closeUnfit(connection, refusal)\n    connection.proven(this.#context.clock.now())',
    replace:
      "    if (refusal === 'shutdown') return this.#closeUnfit(connection, refusal)\n    connection.proven(this.#context.clock.now())",
    breaks: 'a connection whose reset failed is closed',
  },
  {
    file: 'pool/pool.ts',
    find: '    if (idle && this.#isFresh(idle)) return this.#reused(request, idle)\n',
    replace: '    if (idle) return this.#reused(request, idle)\n',
    breaks: 'an old proof is made anew before a lease',
  },
  {
    file: 'pool/pool.ts',
    find: '    connection.rest(this.#context.settings.current.pool.resetBytesMax, this.#onLost)\n',
    replace: '',
    breaks: 'an idle connection is watched',
  },
  {
    file: 'pool/pool.ts',
    find: '    else this.#admission.becameIdle(connection)\n',
    replace: '',
    breaks: 'a login that waits gets what becomes idle',
  },
  {
    file: 'pool/pool.ts',
    find: '    this.#admission.serveQueue(connection.serverName)\n    return true\n',
    replace: '    return true\n',
    breaks: 'a login that waits gets the place of a closed connection',
  },
  {
    file: 'pool/pool.ts',
    find: '      if (!isOpen) this.#admission.giveUp(dial)\n',
    replace: '',
    breaks: 'a failed dial gives its place up',
  },
  {
    file: 'pool/pool.ts',
    find: '    waiter?.settle(isClean)\n',
    replace: '    if (isClean) waiter?.settle(isClean)\n',
    breaks: 'a login that waits for a reset learns that it failed',
  },
  {
    file: 'pool/pool.ts',
    find: '    if (holder) this.#lease(connection, holder)\n    else this.#putIdle(connection)\n',
    replace: '    this.#putIdle(connection)\n',
    breaks: 'a connection is leased to the login that waits for its reset',
  },
  {
    file: 'pool/capacity.ts',
    find: "    if (this.#found) return 'not-needed'\n",
    replace: '',
    breaks: 'a login that has a connection opens no other',
  },
  {
    file: 'pool/admission.ts',
    find: '        if (this.#excess(scope, request) > 0) dial.awaitEviction(this.#evictOldest(scope, request))\n',
    replace:
      '        if (this.#excess(scope, request) > 99) dial.awaitEviction(this.#evictOldest(scope, request))\n',
    breaks: 'a limit is kept by eviction',
  },
  {
    file: 'pool/admission.ts',
    find: "    if (waiting.size >= queueMax) return isUserFull() ? 'too-many-of-user' : 'queue-full'\n",
    replace: '',
    breaks: 'the queue is bounded',
  },
  {
    file: 'pool/admission.ts',
    find: '      const timer = runtime.after(queueTimeoutMs, expire)\n',
    replace: '      const timer = runtime.after(queueTimeoutMs * 1000, expire)\n',
    breaks: 'a wait in the queue is bounded',
  },
  {
    file: 'pool/admission.ts',
    find: '    if (!over.every((scope) => !isHard(scope, request) || this.#idleCount(scope, request) > 0)) {',
    replace: '    if (over.length > 99) {',
    breaks: 'a login beyond a hard limit is not admitted',
  },
  // The reset.
  {
    file: 'server/reset.ts',
    find: "    if (mailbox !== 'selected') this.#send(this.#hadBad ? 'LIST' : 'NOOP')",
    replace: "    if (mailbox !== 'none') this.#send(this.#hadBad ? 'LIST' : 'NOOP')",
    breaks: 'a selected mailbox is deselected',
  },
  {
    file: 'server/reset.ts',
    find: "        if (!isOk) return this.#hasExamined ? this.#finish('cannot-deselect') : this.#send('EXAMINE')\n        this.#connection.mailboxLeft()",
    replace: '        this.#connection.mailboxLeft()',
    breaks: 'only an OK proves that nothing is selected',
  },
  {
    file: 'server/reset.ts',
    find: "    else if (startsWithWord(bytes, at, 'OK [READ-ONLY]')) this.#send('CLOSE')",
    replace: "    else if (startsWithWord(bytes, at, 'OK')) this.#send('CLOSE')",
    breaks: 'CLOSE is sent only to a read-only mailbox',
  },
  {
    file: 'server/reset.ts',
    find: "    else this.#send(hasUnselect(capabilities) ? 'UNSELECT' : 'EXAMINE')",
    replace: "    else this.#send(hasUnselect(capabilities) ? 'UNSELECT' : 'CLOSE')",
    breaks: 'a mailbox is opened read-only before it is closed',
  },
  {
    file: 'server/reset.ts',
    find: '    if (this.#unanswered.length === 0) this.#sendBarrier()\n  }\n\n  #sendBarrier',
    replace: '    this.#unanswered.length = 0\n    this.#sendBarrier()\n  }\n\n  #sendBarrier',
    breaks: 'every reply of the last session is awaited',
  },
  {
    file: 'server/reset.ts',
    find: "    if (this.#idling) this.#connection.link.write('DONE\\r\\n')\n",
    replace: '',
    breaks: 'IDLE is ended before the barrier',
  },
  {
    file: 'server/reset.ts',
    find: "    if (!hasTag(bytes, start, end, tag)) return this.#finish('unexpected-reply')\n",
    replace: '',
    breaks: 'only the reply with its tag answers a barrier',
  },
  {
    file: 'server/reset.ts',
    find: "    if (startsWithWord(bytes, at, 'BYE')) this.#finish('server-said-bye')\n    // The answer",
    replace: '    // The answer',
    breaks: 'a BYE during a reset ends the connection',
  },
  {
    file: 'server/reset.ts',
    find: '    timeouts.add(this, this.#limits.timeoutMs)\n',
    replace: '',
    breaks: 'a reset is bounded in time',
  },
  {
    file: 'server/reset.ts',
    find: "    if (this.#bytes > this.#limits.bytesMax) return this.#finish('barrier-too-long')\n",
    replace: '',
    breaks: 'a reset is bounded in bytes',
  },
  {
    file: 'server/reset.ts',
    find: "    if (!this.#connection.link.isOpen) return this.#finish('closed-by-peer')\n",
    replace: '',
    breaks: 'a connection that has ended is not reset',
  },
  ...mutantsOfSplice,
  // Server connections, sessions and clients.
  {
    file: 'server/server-connection.ts',
    find: '    this.#connection.doubt()\n    this.#bytesLeft',
    replace: '    this.#bytesLeft',
    breaks: 'data on an idle connection makes its proof void',
  },
  {
    file: 'server/server-connection.ts',
    find: "    if (kind !== 'untagged') this.#onLost(this.#connection, 'unexpected-reply')\n    else if",
    replace: '    if',
    breaks: 'a tagged reply on an idle connection ends it',
  },
  {
    file: 'server/server-connection.ts',
    find: '    this.#distrustReason ??= reason\n',
    replace: '    void reason\n',
    breaks: 'a connection in use can be distrusted',
  },
  {
    file: 'server/open-connection.ts',
    find: "  const cancelDeadline = startDeadline(server.config.loginTimeoutMs, () => dialed.exchange.fail('timed-out'))\n",
    replace: '  const cancelDeadline = () => {}\n',
    breaks: 'a login at the server is bounded in time',
  },
  {
    file: 'server/exchange.ts',
    find: '    if (this.#behind !== undefined) this.#link.unshift(this.#behind)\n',
    replace: '',
    breaks: 'bytes behind the reply to a login are not lost',
  },
  {
    file: 'session/session.ts',
    find: '      await pool.giveBack(handBack, client)\n',
    replace: '',
    breaks: 'a session gives its connection back',
  },
  {
    file: 'session/session.ts',
    find: '    splice.start(lease.idsSent ? [] : idsFor(client, connection, context), client.takeEarly())',
    replace: '    splice.start(lease.idsSent ? [] : idsFor(client, connection, context), undefined)',
    breaks: 'what a client sends behind its login is not lost',
  },
  {
    file: 'session/sessions.ts',
    find: "    for (const client of this.#arriving) if (client.deadlineAt <= now) client.endLoginTime('out-of-time')\n",
    replace: '',
    breaks: 'a login is answered within its time',
  },
  {
    file: 'client/client.ts',
    find: "    this.#abandonLogin('client-gone')\n    this.#settle(this.#waiting, undefined)\n  }\n}",
    replace: '    this.#settle(this.#waiting, undefined)\n  }\n}',
    breaks: 'the login of a client that has gone is abandoned',
  },
  {
    file: 'client/client.ts',
    find: '    this.#buffer = this.#scanned === this.#buffer.length ? empty : this.#buffer.subarray(this.#scanned)\n',
    replace: '    this.#buffer = empty\n',
    breaks: 'bytes behind a command before the login are kept',
  },
  {
    file: 'net/client-admission.ts',
    find: '    if (!this.#loggedIn.delete(place) && !this.#arrivingOn(place.listener).delete(place)) return\n    this.#total--',
    replace: '    if (!this.#loggedIn.delete(place)) return\n    this.#total--',
    breaks: 'a client that has gone is not counted',
  },
]
