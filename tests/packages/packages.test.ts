/**
 * The Debian packages on a fresh Debian 12 host: installed by apt, started by systemd, serving mail through Debian's
 * imapproxy.conf, reloaded, upgraded, removed and purged. `npm run package-test`; needs root.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local'
import { script } from '../support/documents.ts'
import { until } from '../support/until.ts'
import { buildPackages, builtPackages, type BuiltPackages } from './built-packages.ts'
import { DebianHost, hostMissing } from './debian-host.ts'
import { page, serveMail } from './mail-host.ts'

/** Every file of the system that packages may leave behind, with its owner and mode. */
const inventory = `find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /mnt \\
  -o -path /var/log/journal -o -path /var/log/apt -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg \\
  -o -path /var/lib/systemd -o -path '/var/tmp/systemd-private-*' -o -path /var/lib/logrotate -o -path /root \\) -prune -o -printf '%p %u:%g %m\\n' | sort`
/** dpkg keeps no trace of a purged package, and users are in files that exist anyway. */
const accounts = `cat /etc/passwd /etc/group; dpkg -l 'imapfleet*' 2>/dev/null | grep '^[a-z][a-z]' || true`
/** `npm run package` compresses them. */
const uncompressed = 'uses-no-compression-for-control-tarball,uses-no-compression-for-data-tarball'
const readyz = 'curl -s http://127.0.0.1:9143/readyz'

suite('Debian packages', { skip: hostMissing() }, () => {
  let packages: BuiltPackages
  let host: DebianHost
  before(async () => {
    packages = await builtPackages()
    host = await DebianHost.boot('imapfleet-packages', packages.directory)
    await serveMail(host)
    // Dovecot has port 143, and --check refuses a port in use. Postgres would write files while others are counted.
    await host.sh(`
      systemctl disable --now postgresql nats-server
      sed -i 's/^listen_port .*/listen_port 1143/' /etc/imapproxy.conf`)
  })
  after(async () => {
    await host?.stop()
    await packages?.remove()
  })

  test('a second build has the same bytes', async () => {
    const again = temporaryDirectory('packages')
    try {
      // At another time, in another time zone, with another umask.
      await buildPackages(again, { TZ: 'Asia/Kathmandu' }, '077')
      const sums = (directory: string) => readFile(join(directory, 'SHA256SUMS'), 'utf8')
      assert.equal(await sums(again), await sums(packages.directory))
    } finally {
      await removeTemporaryDirectory(again)
    }
  })

  test('lintian finds no error, and gives no warning', async () => {
    const { status, stdout, stderr } = await host.run(
      `lintian --fail-on error,warning --suppress-tags ${uncompressed} /mnt/*.deb`,
    )
    assert.equal(status, 0, `${stdout}${stderr}`)
  })

  suite('imapfleet-edge in place of imapproxy', () => {
    const switching =
      "sed -i 's|^protocol_log_filename .*|protocol_log_filename /var/log/imapfleet/protocol.log|' /etc/imapproxy.conf"
    let clean: string[]
    const installed = () => host.sh(`${inventory}; ${accounts}`)
    before(async () => {
      clean = (await installed()).split('\n')
    })

    test('apt installs it without starting it, and its program and manual pages are found', async () => {
      const said = await host.run(
        `cd /mnt; ${script('docs/install.md', 'apt install ./imapfleet-edge_*.deb')}`,
      )
      // The check, which is the last command, says what the next commands of the document change.
      assert.equal(said.status, 1)
      const wrong = said.stderr.split('\n').filter((line) => line.startsWith('imapfleet-edge: '))
      assert.ok(wrong.length > 0 && wrong.every((line) => line.includes('trace.file: ')), said.stderr)
      assert.equal((await host.run('systemctl is-active imapfleet-edge')).stdout.trim(), 'inactive')
      assert.match(await host.sh('imapfleet-edge --version'), /^imapfleet-edge \d/)
      const pages = await host.sh('man -w 8 imapfleet-edge; man -w 5 imapfleet-edge.yaml')
      assert.equal(pages.trim().split('\n').length, 2)
      assert.equal(
        await host.sh(
          'MANROFFSEQ= man --warnings -E UTF-8 -l /usr/share/man/man*/imapfleet* 2>&1 >/dev/null',
        ),
        '',
      )
    })

    test('the file that comes with it has no mistakes', async () => {
      const check = 'imapfleet-edge --config /etc/imapfleet/edge.yaml --check --user imapfleet-edge'
      const busy = await host.run(check)
      assert.match(
        busy.stderr,
        /^imapfleet-edge: .* port 143: the port is in use.*: dovecot \(process \d+\) has it$/m,
      )
      await host.sh('systemctl stop dovecot')
      assert.match(await host.sh(check), /no mistakes/)
      await host.sh('systemctl start dovecot')
    })

    test('the check of an imapproxy.conf names what the service lacks', async () => {
      const check = 'imapfleet-edge --config /etc/other.conf --check --user imapfleet-edge'
      await host.sh('cp /etc/imapproxy.conf /etc/other.conf; chmod 600 /etc/other.conf')
      const { status, stderr } = await host.run(check)
      assert.equal(status, 1)
      for (const expected of [
        /cannot read the configuration \/etc\/other\.conf: EACCES/,
        /trace\.file: imapfleet-edge\.service does not let the edge write \/var\/log\/imapproxy_protocol\.log: move it to \/var\/log\/imapfleet,/,
      ])
        assert.match(stderr, expected)
      assert.equal(stderr.match(/trace\.file/g)?.length, 1, 'one line for each fault')
      await host.sh(`
        chmod 644 /etc/other.conf
        sed -i 's|^protocol_log_filename .*|protocol_log_filename /var/log/imapfleet/other.log|' /etc/other.conf`)
      assert.match(await host.sh(check), /no mistakes/)
      await host.sh('rm /etc/other.conf')
    })

    test("it serves mail through Debian's imapproxy.conf, as its own user and within its own directories", async () => {
      await host.sh(`
        sed -i 's/^server_hostname .*/server_hostname 127.0.0.1/; s/^server_port .*/server_port 143/; s/^listen_port .*/listen_port 1143/' /etc/imapproxy.conf
        ${script('docs/install.md', switching)}`)
      await ready()
      // The others say the same. Said again, it changes nothing.
      const check = 'imapfleet-edge --config /etc/imapproxy.conf --check --user imapfleet-edge'
      for (const commands of [
        script('README.md', check),
        script('docs/replacing-imapproxy.md', check),
        script('docs/replacing-imapproxy.md', switching),
      ])
        await host.sh(commands)
      const first = await host.sh(page(1143))
      assert.match(first, /^a OK/m)
      await until('a reused connection', async () => (await host.sh(page(1143))).includes('XPROXYREUSE'))
      const process = await host.sh(
        'ps -o user:32=,args= -p "$(systemctl show -p MainPID --value imapfleet-edge)"',
      )
      assert.match(process, /^imapfleet-edge +\/usr\/lib\/imapfleet\/edge\/node --max-semi-space-size=4 /)
      const environment = await host.sh(
        'tr "\\0" "\\n" < "/proc/$(systemctl show -p MainPID --value imapfleet-edge)/environ"',
      )
      assert.match(environment, /^MALLOC_ARENA_MAX=1$/m)
      assert.equal(
        await host.sh(
          'stat -c "%n %U:%G %a" /var/lib/imapfleet /var/log/imapfleet /var/log/imapfleet/protocol.log',
        ),
        [
          '/var/lib/imapfleet imapfleet-edge:imapfleet-edge 700',
          '/var/log/imapfleet imapfleet-edge:imapfleet-edge 750',
          '/var/log/imapfleet/protocol.log imapfleet-edge:imapfleet-edge 600',
          '',
        ].join('\n'),
      )
    })

    test('a reload applies the file without a new process', async () => {
      const pid = await mainPid()
      await host.sh(`
        sed -i 's/^cache_expiration_time .*/cache_expiration_time 777/' /etc/imapproxy.conf
        systemctl reload imapfleet-edge`)
      await until('reloaded', async () =>
        (await host.sh('journalctl -u imapfleet-edge -o cat')).includes('reloaded'),
      )
      assert.equal(await mainPid(), pid)
    })

    test('logrotate moves the protocol log away, and the edge begins a new one', async () => {
      await host.sh(
        'echo line >> /var/log/imapfleet/protocol.log; logrotate -f /etc/logrotate.d/imapfleet-edge',
      )
      assert.match(await host.sh('cat /var/log/imapfleet/protocol.log.1'), /line/)
      const owner = 'stat -c "%U:%G %a" /var/log/imapfleet/protocol.log'
      const made = await until('a new file', async () => (await host.run(owner)).stdout || undefined)
      assert.equal(made, 'imapfleet-edge:imapfleet-edge 600\n')
    })

    test('an upgrade ends no session, keeps what the operator changed, and runs the new program', async () => {
      const old = await mainPid()
      await host.sh(`
        echo 'edge: { id: own }' >> /etc/imapfleet/edge.yaml
        touch /var/lib/imapfleet/own
        exec 3<>/dev/tcp/127.0.0.1/1143
        answer() { while read -r -t 20 -u 3 line; do case $line in "$1 OK"*) return 0;; esac; done; return 1; }
        printf 'a LOGIN alice sesame\\r\\n' >&3
        answer a
        dpkg --force-confdef --install /mnt/imapfleet-edge_*.deb
        for second in $(seq 60); do
          test "$(systemctl show -p MainPID --value imapfleet-edge)" = ${old.trim()} || break
          sleep 1
        done
        printf 'b NOOP\\r\\n' >&3
        answer b`)
      assert.notEqual(await mainPid(), old)
      await host.sh(`
        grep -q 'id: own' /etc/imapfleet/edge.yaml
        grep -q /etc/imapproxy.conf /etc/default/imapfleet-edge
        test -e /var/lib/imapfleet/own`)
      await until('a page of the new process', async () => /^a OK/m.test((await host.run(page(1143))).stdout))
    })

    test('an upgrade tells that the new program does not accept the file, and the old process serves on', async () => {
      const old = await mainPid()
      const told = await host.sh(`
        cp /etc/imapproxy.conf /run/kept.conf
        echo 'no_such_keyword yes' >> /etc/imapproxy.conf
        touch /usr/lib/imapfleet/edge/imapfleet-edge.mjs
        dpkg --force-confdef --install /mnt/imapfleet-edge_*.deb`)
      assert.match(told, /imapproxy\.conf:\d+: no_such_keyword is not a keyword/)
      assert.match(told, /^ {2}systemctl reload imapfleet-edge$/m)
      await until('the problem', async () =>
        (await host.sh('curl -s http://127.0.0.1:9143/healthz')).includes(
          'a new process could not take over',
        ),
      )
      assert.equal(await mainPid(), old)
      assert.match(await host.sh(page(1143)), /^a OK/m)
      await host.sh('cp /run/kept.conf /etc/imapproxy.conf; systemctl reload imapfleet-edge')
      await until('the new process', async () => (await mainPid()) !== old)
      await ready()
    })

    test('installed again after a removal, it runs if it is enabled', async () => {
      await host.sh(`
        systemctl enable imapfleet-edge
        apt-get remove -y imapfleet-edge
        apt-get install -y --no-install-recommends /mnt/imapfleet-edge_*.deb`)
      await ready()
      await host.sh(`
        systemctl disable imapfleet-edge
        apt-get remove -y imapfleet-edge
        apt-get install -y --no-install-recommends /mnt/imapfleet-edge_*.deb`)
      assert.equal((await host.run('systemctl is-active imapfleet-edge')).stdout.trim(), 'inactive')
      await host.sh('systemctl enable --now imapfleet-edge')
      await ready()
    })

    test('a removal stops it, and keeps configuration and state', async () => {
      await host.sh('apt-get remove -y imapfleet-edge')
      assert.notEqual((await host.run(readyz)).status, 0)
      await host.sh('test -e /etc/imapfleet/edge.yaml; test -e /var/lib/imapfleet/own')
      assert.equal((await host.run('pgrep -u imapfleet-edge')).stdout, '')
    })

    test('a purge leaves nothing', async () => {
      await host.sh('apt-get purge -y imapfleet-edge')
      const left = (await installed()).split('\n').filter((line) => !clean.includes(line))
      assert.deepEqual(left, [])
    })

    const ready = () =>
      until('a ready edge', async () => (await host.run(readyz)).stdout.includes('"ready":true'))
    const mainPid = () => host.sh('systemctl show -p MainPID --value imapfleet-edge')
  })

  test('imapfleet-control and imapfleet-cli install, print their version and complete, and a purge leaves nothing', async () => {
    const clean = (await host.sh(`${inventory}; ${accounts}`)).split('\n')
    await host.sh(
      'apt-get install -y --no-install-recommends /mnt/imapfleet-control_*.deb /mnt/imapfleet-cli_*.deb',
    )
    assert.match(await host.sh('imapfleet-control --version; imapfleet --version'), /^(\d+\.\d+\.\d+\n){2}$/)
    assert.equal(
      await host.sh('stat -c "%U:%G %a" /etc/imapfleet/control.env /etc/imapfleet/nats'),
      'root:imapfleet-control 640\nimapfleet-control:imapfleet-control 755\n',
    )
    await host.sh('man -w 8 imapfleet-control; man -w 1 imapfleet')
    await host.sh('imapfleet-control nats init --dir /etc/imapfleet/nats')
    assert.equal(
      await host.sh('cd /etc/imapfleet/nats; stat -c "%n %U %a" *'),
      [
        'accounts.conf imapfleet-control 644',
        'control.creds imapfleet-control 600',
        'issuer.json imapfleet-control 600',
        'roots.json root 600',
        '',
      ].join('\n'),
    )
    const install = 'dpkg --force-confdef --install /mnt/imapfleet-control_*.deb'
    await host.sh(
      `chown imapfleet-control /etc/imapfleet/control.env; chmod 0600 /etc/imapfleet/control.env; ${install}`,
    )
    assert.equal(
      await host.sh('stat -c "%U:%G %a" /etc/imapfleet/control.env'),
      'imapfleet-control:imapfleet-control 600\n',
      'an upgrade keeps the owner and the mode that the operator set',
    )
    const settings = await host.run('runuser -u mail -- imapfleet-control token create --name x --role admin')
    assert.match(settings.stderr, /^imapfleet-control: mail cannot read \/etc\/imapfleet\/control\.env/)
    const told = await host.sh(`
      printf '%s\\n' DATABASE_URL=postgres://127.0.0.1:1/x NATS_URL=nats://127.0.0.1:1 > /etc/imapfleet/control.env
      systemctl start imapfleet-control
      sleep 3
      systemctl is-active imapfleet-control
      echo REPORTS_KEPT_DAYS=many >> /etc/imapfleet/control.env
      ${install}`)
    assert.match(told, /^active$/m)
    assert.match(told, /REPORTS_KEPT_DAYS/, 'an upgrade tells why control does not start again')
    assert.match(told, /^ {2}systemctl restart imapfleet-control$/m)
    // The settings may come from the unit instead.
    await host.sh(`rm /etc/imapfleet/control.env; ${install}`)
    await host.sh('test ! -e /etc/imapfleet/control.env')
    const completions = await host.sh(`
      . /usr/share/bash-completion/bash_completion
      . /usr/share/bash-completion/completions/imapfleet
      complete -p imapfleet`)
    assert.match(completions, /imapfleet$/m)
    await host.sh('apt-get purge -y imapfleet-control imapfleet-cli')
    const left = (await host.sh(`${inventory}; ${accounts}`))
      .split('\n')
      .filter((line) => !clean.includes(line))
    assert.deepEqual(left, [])
  })
})
