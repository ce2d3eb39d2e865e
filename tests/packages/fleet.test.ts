/**
 * A fleet of Debian 12 hosts by the commands of the documents alone: control with PostgreSQL and nats-server, two edges with a
 * credential each and TLS; operated, upgraded under load, restored, removed. `npm run package-test`; needs root.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { edgeListSchema, type EdgeView } from '@imapfleet/api'
import { printed, script } from '../support/documents.ts'
import { until } from '../support/until.ts'
import { builtPackages, type BuiltPackages } from './built-packages.ts'
import { DebianHost, hostMissing } from './debian-host.ts'
import { certifyMail, MailLoad, page, serveMail } from './mail-host.ts'

const setup = 'docs/setting-up-a-fleet.md'
const backup = 'docs/backup.md'
const securing = 'docs/securing-a-fleet.md'
/** The directory with the packages, in which the operator works. No other user can read it. */
const desk = '~/packages'
/** Three hosts on one machine are slow. */
const patienceMs = 240_000
const recentLog =
  'journalctl --no-pager -o cat -u nats-server -u imapfleet-control -u imapfleet-edge | grep -v session_ended | tail -n 40'
const inDesk = (commands: string) => `cd ${desk}\n${commands}`

suite('a fleet of Debian packages', { skip: hostMissing() }, () => {
  let packages: BuiltPackages
  const hosts: DebianHost[] = []
  let control: DebianHost
  let eu: DebianHost
  let us: DebianHost
  const boot = async (name: string) => {
    const host = await DebianHost.boot(name, packages.directory)
    hosts.push(host)
    // The operator says yes.
    await host.sh(`
      echo 'APT::Get::Assume-Yes "true";' > /etc/apt/apt.conf.d/99yes
      mkdir -p ${desk}
      ln -s /mnt/*.deb ${desk}`)
    return host
  }
  before(async () => {
    packages = await builtPackages()
    control = await boot('imapfleet-nats-1')
    eu = await boot('imapfleet-eu-1')
    us = await boot('imapfleet-us-1')
    await control.connect(eu, 1)
    await control.connect(us, 2)
    await control.sh(`
      systemctl disable --now imapproxy dovecot
      printf '10.77.1.1 nats-1.example\\n10.77.1.2 eu-1\\n10.77.2.2 us-1\\n' >> /etc/hosts
      ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519
      echo 'StrictHostKeyChecking accept-new' > ~/.ssh/config`)
    const key = await control.sh('cat ~/.ssh/id_ed25519.pub')
    for (const [host, address] of [
      [eu, '10.77.1.1'],
      [us, '10.77.2.1'],
    ] as const) {
      await host.sh(`
        systemctl disable --now postgresql nats-server
        echo '${address} nats-1.example' >> /etc/hosts
        install -d -m 0700 ~/.ssh
        echo '${key.trim()}' > ~/.ssh/authorized_keys`)
      await serveMail(host, '127.0.0.2')
      await certifyMail(host, '127.0.0.2', 'imap.example.org')
    }
  })
  after(async () => {
    for (const host of hosts) await host.stop()
    await packages?.remove()
  })

  const on = async (host: DebianHost, file: string, title: string) =>
    await host.sh(inDesk(script(file, title)))
  const edges = async (): Promise<EdgeView[]> =>
    edgeListSchema.parse(JSON.parse(await control.sh('imapfleet edges --output json'))).edges
  const serving = async (...ids: string[]) =>
    await until(
      `${ids.join(' and ')} without problems`,
      async () => {
        const found = await edges()
        const well = found.filter(({ state, problems }) => state === 'serving' && problems.length === 0)
        if (well.length === ids.length) return true
        throw new Error(JSON.stringify(found.map(({ id, state, problems }) => ({ id, state, problems }))))
      },
      patienceMs,
    )
  /** A human reads the answer before going on; the service may need a moment. */
  const eventually = async (host: DebianHost, file: string, title: string) =>
    await until(
      title,
      async () => {
        const { status, stdout, stderr } = await host.run(inDesk(script(file, title)))
        if (status === 0) return stdout
        throw new Error(`${stdout}${stderr}`)
      },
      patienceMs,
    )
  const reused = async (host: DebianHost) =>
    await until(
      'a reused connection',
      async () => (await host.sh(page(143))).includes('XPROXYREUSE'),
      patienceMs,
    )
  const mainPid = async (host: DebianHost, service = 'imapfleet-edge') =>
    (await host.sh(`systemctl show -p MainPID --value ${service}`)).trim()
  const audited = async (action: string) =>
    (await control.sh(`imapfleet audit --action ${action} --output json`)).match(/"action"/g)?.length ?? 0
  /** A command that asks for a confirmation. */
  const atTerminal = async (command: string) =>
    await control.run(`printf 'y\\n' | script --quiet --return --command ${quoted(command)} /dev/null`)

  let failed: string | undefined
  /** A test that needs those before it. What the services logged is shown if it fails. */
  const step = (title: string, work: () => Promise<void>): void => {
    void test(title, async (context) => {
      if (failed !== undefined) return context.skip(`after a failure: ${failed}`)
      try {
        await work()
      } catch (error) {
        failed = title
        const logs = await Promise.all(hosts.map(async (host) => (await host.run(recentLog)).stdout))
        throw new Error(`${String(error)}\n${logs.join('\n')}`, { cause: error })
      }
    })
  }

  step('control, PostgreSQL and nats-server come up, and doctor is clean', async () => {
    const service = 'imapfleet-control nats init --dir /etc/imapfleet/nats'
    await on(
      control,
      setup,
      'apt install postgresql nats-server ./imapfleet-control_*.deb ./imapfleet-cli_*.deb',
    )
    await on(control, setup, 'password=$(openssl rand -hex 24)')
    await on(control, setup, service)
    await control.sh(`mv /etc/imapfleet/nats/roots.json /etc/nats/ca.key ${desk}`)
    await on(
      control,
      setup,
      'install -d -o nats -g nats -m 0700 /var/lib/nats /var/lib/nats/accounts /var/lib/nats/jetstream',
    )
    await on(control, setup, "cat >> /etc/imapfleet/control.env <<'END'")
    const found = await eventually(control, setup, 'runuser -u imapfleet-control -- imapfleet-control doctor')
    assert.match(found, /^ok +issuer /m)
    assert.match(found, /checks: 0 failed, 0 warnings$/m)
    const ready = await on(control, setup, 'systemctl enable --now imapfleet-control')
    assert.match(ready, /"ready":true/)
    const login = await on(
      control,
      setup,
      'imapfleet-control token create --name alice --role admin | imapfleet login http://127.0.0.1:8080',
    )
    assert.match(login, /it knows 0 edges/)
    assert.match(
      await control.sh("timeout 5 bash -c 'exec 3<>/dev/tcp/nats-1.example/4222; head -n 1 <&3'"),
      /"tls_required":true/,
    )
  })

  step('an edge gets its credential, its doctor is clean, and it serves mail', async () => {
    await on(eu, setup, 'apt install ./imapfleet-edge_*.deb')
    await on(control, setup, 'edge=eu-1 region=eu')
    const start = 'imapfleet-edge doctor --config /etc/imapfleet/edge.yaml --user imapfleet-edge'
    assert.match(await eventually(eu, setup, start), /checks: 0 failed, 0 warnings$/m)
    await serving('eu-1')
    await reused(eu)
  })

  step('an edge that README installs alone joins the fleet, and no session ends', async () => {
    const alone = await on(us, 'README.md', 'apt install ./imapfleet-edge_*.deb')
    assert.match(alone, /\{"ready":true,"missing":\[\]\}/)
    await reused(us)
    const load = await MailLoad.start(us, 143)
    // The commands of the first edge, with the names of the second one.
    const named = (text: string) =>
      text
        .replace('id: eu-1, region: eu', 'id: us-1, region: us')
        .replace('edge=eu-1 region=eu', 'edge=us-1 region=us')
    await us.sh(inDesk(named(script(setup, 'apt install ./imapfleet-edge_*.deb'))))
    await control.sh(inDesk(named(script(setup, 'edge=eu-1 region=eu'))))
    const check = 'imapfleet-edge doctor --config /etc/imapfleet/edge.yaml --user imapfleet-edge'
    // The edge that runs is known by its file, not by the name in it.
    const early = await us.run(inDesk(check))
    assert.match(
      early.stdout,
      /^warn +running +it runs as \S+ in the region \S+, and the file says us-1 in us$/m,
    )
    assert.match(early.stdout, /checks: 0 failed, 1 warnings$/m)
    const old = await mainPid(us)
    await on(us, 'docs/upgrading.md', 'systemctl kill --kill-whom=main --signal=SIGUSR2 imapfleet-edge')
    await until('the process that takes over', async () => (await mainPid(us)) !== old, patienceMs)
    await serving('eu-1', 'us-1')
    assert.match(await eventually(us, setup, check), /checks: 0 failed, 0 warnings$/m)
    await load.more()
    await load.stop()
  })

  step('doctor of both is clean while they run', async () => {
    const document = 'docs/troubleshooting.md'
    const edge = 'imapfleet-edge doctor --config /etc/imapfleet/edge.yaml --user imapfleet-edge'
    for (const found of [
      await eventually(eu, document, edge),
      await eventually(control, document, 'runuser -u imapfleet-control -- imapfleet-control doctor'),
    ])
      assert.match(found, /checks: 0 failed, 0 warnings$/m)
  })

  step('tokens for a region and for a customer are made', async () => {
    const document = 'docs/tenants.md'
    const region = await on(control, document, 'imapfleet tokens create team-eu --role operator --region eu')
    const customer = await on(
      control,
      document,
      'imapfleet tokens create shop --role operator --domain shop.example',
    )
    assert.notEqual(region.trim(), '')
    assert.notEqual(customer.trim(), region.trim())
  })

  step('operations reach the edges region by region', async () => {
    const document = 'docs/operating-a-fleet.md'
    const [pause = ''] = printed(document, 'imapfleet upstream pause main --first us --soak 3s')
    const paused = await atTerminal(pause)
    assert.match(paused.stdout, /completed, 2 of 2 regions/, paused.stdout)
    await control.sh('imapfleet upstream resume main')
    const [wrong = ''] = printed(document, 'imapfleet upstream pause nosuch')
    const refused = await atTerminal(wrong)
    assert.notEqual(refused.status, 0)
    const [, operation] = /operations show ([\w-]+)/.exec(refused.stdout) ?? []
    await control.sh(`imapfleet operations abort ${operation}`)
    const kicked = await atTerminal(
      script(document, "imapfleet kick --domain example.org --at-once 'incident 17'").trim(),
    )
    assert.equal(kicked.status, 0, kicked.stdout)
  })

  step('upgrades of control and both edges under load end no session and fail no login', async () => {
    const document = 'docs/upgrading.md'
    const loads = await Promise.all([eu, us].map(async (host) => await MailLoad.start(host, 143)))
    const earlier = await mainPid(control, 'imapfleet-control')
    await nextRelease(control, 'imapfleet-control')
    await nextRelease(control, 'imapfleet-cli')
    await on(control, document, 'apt install ./imapfleet-control_*.deb ./imapfleet-cli_*.deb')
    assert.notEqual(await mainPid(control, 'imapfleet-control'), earlier)
    await until('control', async () => (await control.run('imapfleet edges')).status === 0, patienceMs)
    const withoutQuestions = 'apt install -o Dpkg::Options::=--force-confold ./imapfleet-edge_*.deb'
    for (const host of [eu, us]) {
      const old = await mainPid(host)
      await nextRelease(host, 'imapfleet-edge', host === us ? ['etc/imapfleet/edge.yaml'] : [])
      await on(host, document, host === us ? withoutQuestions : 'apt install ./imapfleet-edge_*.deb')
      await until('the new process', async () => (await mainPid(host)) !== old, patienceMs)
      assert.match(await host.sh("dpkg-query -W -f '${Version}' imapfleet-edge"), /\.1$/)
    }
    await us.sh('grep -q "id: us-1" /etc/imapfleet/edge.yaml; test -e /etc/imapfleet/edge.yaml.dpkg-dist')
    for (const load of loads) await load.more()
    for (const load of loads) await load.stop()
    await serving('eu-1', 'us-1')
  })

  step('the database is restored: the edges return to the configuration of the dump', async () => {
    await control.sh('imapfleet config set pool.idleTimeoutMs 61000')
    await on(control, backup, 'install -d -m 0700 /var/backups/imapfleet')
    await control.sh('imapfleet config set pool.idleTimeoutMs 62000')
    const told = await audited('fleet.restore')
    const loads = await Promise.all([eu, us].map(async (host) => await MailLoad.start(host, 143)))
    await on(control, backup, 'systemctl stop imapfleet-control')
    await until('control', async () => (await control.run('imapfleet edges')).status === 0, patienceMs)
    await until('the restore is told', async () => (await audited('fleet.restore')) > told, patienceMs)
    for (const id of ['eu-1', 'us-1'])
      await until(
        `the configuration of ${id}`,
        async () =>
          (await control.sh(`imapfleet config get pool.idleTimeoutMs --edge ${id}`)).includes('61000'),
        patienceMs,
      )
    for (const load of loads) await load.more()
    for (const load of loads) await load.stop()
  })

  step('a damaged dump is not restored: control goes on with the database that it has', async () => {
    const dump = '/var/backups/imapfleet/database.dump'
    await control.sh(`
      imapfleet config set pool.idleTimeoutMs 62500
      cp ${dump} /run/whole.dump
      truncate --size=$(($(stat -c %s ${dump}) * 6 / 10)) ${dump}`)
    const said = await control.run(inDesk(script(backup, 'systemctl stop imapfleet-control')))
    assert.match(said.stderr, /pg_restore: error/)
    await until('control', async () => (await control.run('imapfleet edges')).status === 0, patienceMs)
    assert.match(await control.sh('imapfleet config get pool.idleTimeoutMs --edge eu-1'), /62500/)
    await control.sh(`cp /run/whole.dump ${dump}`)
  })

  step('a backup that finds the disk full keeps the last one', async () => {
    const kept = '/var/backups/imapfleet'
    await control.sh(`
      mv ${kept} /run/kept
      install -d ${kept}
      mount -t tmpfs -o size=64k tmpfs ${kept}
      echo last | tee ${kept}/database.dump > ${kept}/files.tar.gz
      head --bytes=60k /dev/urandom > ${kept}/other || true`)
    const said = await control.run(script(backup, 'install -d -m 0700 /var/backups/imapfleet'))
    assert.match(said.stderr, /No space left on device/)
    assert.equal(await control.sh(`cat ${kept}/database.dump ${kept}/files.tar.gz`), 'last\nlast\n')
    await control.sh(`umount ${kept}; rmdir ${kept}; mv /run/kept ${kept}`)
  })

  step('the host of control is restored from nothing but the backup', async () => {
    await control.sh(`
      apt-get purge -y imapfleet-control
      systemctl stop nats-server
      runuser -u postgres -- dropdb --force imapfleet
      runuser -u postgres -- dropdb imapfleet_restored
      runuser -u postgres -- dropuser imapfleet
      rm -rf /var/lib/nats /etc/nats /etc/nats-server.conf /etc/imapfleet`)
    const load = await MailLoad.start(eu, 143)
    await on(
      control,
      backup,
      'apt install postgresql nats-server ./imapfleet-control_*.deb ./imapfleet-cli_*.deb',
    )
    await on(
      control,
      backup,
      "password=$(sed -n 's|^DATABASE_URL=postgres://imapfleet:\\(.*\\)@.*|\\1|p' /etc/imapfleet/control.env)",
    )
    await on(control, backup, 'systemctl stop imapfleet-control')
    await control.sh('systemctl enable imapfleet-control')
    await until('control', async () => (await control.run('imapfleet edges')).status === 0, patienceMs)
    await until(
      'both edges',
      async () => (await edges()).filter(({ state }) => state === 'serving').length === 2,
      patienceMs,
    )
    const found = await eventually(
      control,
      'docs/troubleshooting.md',
      'runuser -u imapfleet-control -- imapfleet-control doctor',
    )
    assert.match(found, /checks: 0 failed, 0 warnings$/m)
    await control.sh('imapfleet config set pool.idleTimeoutMs 63000')
    await load.more()
    await load.stop()
  })

  step('the log is read from the journal, or goes to a file that is rotated by hand', async () => {
    const document = 'docs/logs.md'
    assert.match(await on(eu, document, 'journalctl -u imapfleet-edge -o cat'), /info started edge=eu-1/)
    // The process that took over at the upgrade is ended in order, like one that systemd started.
    const stopped = async () =>
      (await eu.sh('journalctl -u imapfleet-edge -o cat')).match(/info stopped$/gm)?.length ?? 0
    const earlier = await stopped()
    await eu.sh(`
      echo 'log: { file: /var/log/imapfleet/edge.log }' >> /etc/imapfleet/edge.yaml
      systemctl restart imapfleet-edge`)
    await until('the end of the old process in the log', async () => (await stopped()) > earlier)
    const hasLine = async () => {
      await eu.run(page(143))
      return (await eu.run('grep session_ended /var/log/imapfleet/edge.log')).status === 0
    }
    await until('a line in the file', hasLine, patienceMs)
    await on(eu, document, 'mv /var/log/imapfleet/edge.log /var/log/imapfleet/edge.log.1')
    await eu.sh('grep -q session_ended /var/log/imapfleet/edge.log.1')
    await until('a line in the next file', hasLine, patienceMs)
  })

  step('a region connects through a leaf node, with the CA of the fleet', async () => {
    // The leaf node of the region us, on the host of its edge.
    const named = (text: string) =>
      text.replace('--region eu', '--region us').replace('leaf=leaf-eu', 'leaf=us-1')
    await us.sh("echo '127.0.0.1 us-1' >> /etc/hosts")
    await on(control, securing, "cat >> /etc/nats-server.conf <<'END'")
    const leaf =
      'imapfleet-control nats leaf --region eu --roots roots.json --ca /etc/nats/ca.pem --dir /etc/imapfleet/leaf --hub tls://nats-1.example:7422'
    for (const title of [leaf, 'leaf=leaf-eu']) await control.sh(inDesk(named(script(securing, title))))
    await on(us, securing, 'apt install nats-server')
    await until(
      'the connections of both accounts',
      async () =>
        (await us.sh('journalctl -u nats-server -o cat')).match(/Leafnode connection created/g)?.length === 2,
      patienceMs,
    )
    await us.sh("sed -i 's|tls://nats-1.example:4222|tls://us-1:4222|' /etc/imapfleet/edge.yaml")
    const load = await MailLoad.start(us, 143)
    const old = await mainPid(us)
    await on(us, 'docs/upgrading.md', 'systemctl kill --kill-whom=main --signal=SIGUSR2 imapfleet-edge')
    await until('the process that takes over', async () => (await mainPid(us)) !== old, patienceMs)
    await serving('eu-1', 'us-1')
    const check = 'imapfleet-edge doctor --config /etc/imapfleet/edge.yaml --user imapfleet-edge'
    const found = await eventually(us, 'docs/troubleshooting.md', check)
    assert.match(found, /^ok +nats +connected to us-1:4222/m)
    assert.match(found, /checks: 0 failed, 0 warnings$/m)
    await control.sh('imapfleet config set pool.idleTimeoutMs 64000 --region us')
    await serving('eu-1', 'us-1')
    await load.stop()
  })

  step('a revoked edge is refused and serves mail; one that is gone for good is in no list', async () => {
    const [lost = ''] = printed(securing, 'imapfleet edges revoke eu-1')
    const revoked = await atTerminal(lost)
    assert.match(revoked.stdout, /Revoke every credential of eu-1\?.*[^]*eu-1 .* revoked /)
    await until(
      'silence of eu-1',
      async () => (await edges()).find(({ id }) => id === 'eu-1')?.state === 'silent',
      patienceMs,
    )
    assert.match(await eu.sh(page(143)), /^a OK/m)
    const [forget = '', revoke = ''] = printed('docs/monitoring.md', 'imapfleet edges forget eu-1')
    const forgotten = await atTerminal(forget)
    assert.equal(forgotten.status, 0, forgotten.stdout)
    assert.equal((await atTerminal(revoke)).status, 0)
    assert.deepEqual(
      (await edges()).map(({ id }) => id),
      ['us-1'],
    )
  })

  step('a purge of an edge of the fleet leaves nothing of it', async () => {
    await eu.sh(
      'apt-get remove -y imapfleet-edge; test -e /etc/imapfleet/edge.creds; apt-get purge -y imapfleet-edge',
    )
    assert.equal(await eu.sh('ls -d /etc/imapfleet /var/lib/imapfleet /var/log/imapfleet 2>&- || true'), '')
    assert.equal((await eu.run('getent passwd imapfleet-edge')).stdout, '')
  })
})

const quoted = (command: string) => `'${command.replaceAll("'", `'\\''`)}'`

/**
 * Replaces the package in the directory of the operator by one with a higher version and another program.
 * @param changed files of the package that have one more line
 */
async function nextRelease(host: DebianHost, name: string, changed: string[] = []): Promise<void> {
  await host.sh(`
    cd ${desk}
    tree=$(mktemp -d)
    dpkg-deb --raw-extract ${name}_*.deb $tree
    rm ${name}_*.deb
    sed -i 's/^Version: .*/&.1/' $tree/DEBIAN/control
    echo '// The next release.' >> $tree/usr/lib/imapfleet/*/*.mjs
    for file in ${changed.join(' ')}; do echo '## A new setting.' >> $tree/$file; done
    dpkg-deb --root-owner-group -Znone --build $tree . >&2
    rm -r $tree`)
}
