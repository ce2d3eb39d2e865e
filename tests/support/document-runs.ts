/**
 * Where each block of commands in the documents is run, or why it is not. `npm run verify:docs` compares the list with the
 * documents: a new block needs a line here, and a test that takes the block by its first command (documents.ts).
 */

interface Run {
  /** The test that runs it. */
  in: string
}
interface NoRun {
  because: string
}

const replaced: Run = { in: 'tests/packages/packages.test.ts' }
const gitops: Run = { in: 'tests/e2e/gitops.test.ts' }
const night: Run = { in: 'tests/e2e/operators-night.test.ts' }
const fleet: Run = { in: 'tests/packages/fleet.test.ts' }

/** By page and first command. */
export const documentRuns: Readonly<Record<string, Readonly<Record<string, Run | NoRun>>>> = {
  'README.md': {
    'npm run quickstart': { in: 'tests/support/clone.ts' },
    'npm test': { because: 'it runs all tests; .ci/run does it' },
    './imapfleet edges': { in: 'tests/e2e/quickstart.test.ts' },
    'apt install ./imapfleet-edge_*.deb': fleet,
    'imapfleet-edge --config /etc/imapproxy.conf --check --user imapfleet-edge': replaced,
  },
  'CONTRIBUTING.md': {
    'npm ci': { because: 'it installs and checks the clone in which the tests run; .ci/run does the same' },
  },
  'docs/install.md': {
    'apt install ./imapfleet-edge_*.deb': replaced,
    "sed -i 's|^protocol_log_filename .*|protocol_log_filename /var/log/imapfleet/protocol.log|' /etc/imapproxy.conf":
      replaced,
  },
  'docs/replacing-imapproxy.md': {
    'imapfleet-edge --config /etc/imapproxy.conf --check --user imapfleet-edge': replaced,
    "sed -i 's|^protocol_log_filename .*|protocol_log_filename /var/log/imapfleet/protocol.log|' /etc/imapproxy.conf":
      replaced,
  },
  'docs/setting-up-a-fleet.md': {
    'apt install postgresql nats-server ./imapfleet-control_*.deb ./imapfleet-cli_*.deb': fleet,
    'password=$(openssl rand -hex 24)': fleet,
    'imapfleet-control nats init --dir /etc/imapfleet/nats': fleet,
    'install -d -o nats -g nats -m 0700 /var/lib/nats /var/lib/nats/accounts /var/lib/nats/jetstream': fleet,
    "cat >> /etc/imapfleet/control.env <<'END'": fleet,
    'runuser -u imapfleet-control -- imapfleet-control doctor': fleet,
    'systemctl enable --now imapfleet-control': fleet,
    'imapfleet-control token create --name alice --role admin | imapfleet login http://127.0.0.1:8080': fleet,
    'apt install ./imapfleet-edge_*.deb': fleet,
    'edge=eu-1 region=eu': fleet,
    'imapfleet-edge doctor --config /etc/imapfleet/edge.yaml --user imapfleet-edge': fleet,
  },
  'docs/securing-a-fleet.md': {
    'imapfleet edges revoke eu-1': fleet,
    "cat >> /etc/nats-server.conf <<'END'": fleet,
    'imapfleet-control nats leaf --region eu --roots roots.json --ca /etc/nats/ca.pem --dir /etc/imapfleet/leaf --hub tls://nats-1.example:7422':
      fleet,
    'leaf=leaf-eu': fleet,
    'apt install nats-server': fleet,
  },
  'docs/operating-a-fleet.md': {
    'imapfleet upstream pause main --first us --soak 3s': fleet,
    'imapfleet upstream pause nosuch': fleet,
    "imapfleet kick --domain example.org --at-once 'incident 17'": fleet,
  },
  'docs/backup.md': {
    'install -d -m 0700 /var/backups/imapfleet': fleet,
    'systemctl stop imapfleet-control': fleet,
    'apt install postgresql nats-server ./imapfleet-control_*.deb ./imapfleet-cli_*.deb': fleet,
    "password=$(sed -n 's|^DATABASE_URL=postgres://imapfleet:\\(.*\\)@.*|\\1|p' /etc/imapfleet/control.env)":
      fleet,
  },
  'docs/upgrading.md': {
    'apt install ./imapfleet-control_*.deb ./imapfleet-cli_*.deb': fleet,
    'apt install ./imapfleet-edge_*.deb': fleet,
    'apt install -o Dpkg::Options::=--force-confold ./imapfleet-edge_*.deb': fleet,
    'systemctl kill --kill-whom=main --signal=SIGUSR2 imapfleet-edge': fleet,
  },
  'docs/logs.md': {
    'journalctl -u imapfleet-edge -o cat': fleet,
    'mv /var/log/imapfleet/edge.log /var/log/imapfleet/edge.log.1': fleet,
    'fail2ban-regex /var/log/imapfleet/edge.log /etc/fail2ban/filter.d/imapfleet-edge.conf': {
      because: 'tests/e2e/edge-log.test.ts does it with the filter of the repository',
    },
  },
  'docs/alerts.md': {
    'imapfleet alerts test oncall': { in: 'tests/e2e/alert-messages.test.ts' },
    'imapfleet alerts': { in: 'tests/e2e/alert-messages.test.ts' },
  },
  'docs/outage-at-night.md': {
    'imapfleet alerts': night,
    'imapfleet config undo 1': night,
    'imapfleet tokens --output wide': night,
    'imapfleet edges show us-1': night,
  },
  'docs/gitops.md': {
    'git init -q fleet-config': gitops,
    "sed -i 's/idleTimeoutMs: .*/idleTimeoutMs: 120000/' fleet/regions/eu.yaml": gitops,
    'imapfleet config apply fleet --dry-run': gitops,
    'set -eu': gitops,
    'git revert --no-edit HEAD': gitops,
    'git rm -q fleet/edges/eu-1.yaml': gitops,
  },
  'docs/people.md': { 'imapfleet people': { in: 'tests/e2e/people.test.ts' } },
  'docs/monitoring.md': { 'imapfleet edges forget eu-1': fleet },
  'docs/simulation.md': {
    'npm run sim': { because: 'npm run verify runs it for some seconds, with seeds of its own' },
    'npm run sim -- --seed 5002 --reduction \'{"clients":[16],"faults":[5],"steps":2}\'': {
      because: 'it repeats a failure that is repaired',
    },
  },
  'docs/tenants.md': {
    'imapfleet tokens create team-eu --role operator --region eu': fleet,
    'imapfleet tokens create shop --role operator --domain shop.example': fleet,
    'imapfleet who alice@shop.example': {
      because: 'it asks for confirmations, and its last command follows a user until it is interrupted',
    },
  },
  'docs/troubleshooting.md': {
    'imapfleet-edge doctor --config /etc/imapfleet/edge.yaml --user imapfleet-edge': fleet,
    'runuser -u imapfleet-control -- imapfleet-control doctor': fleet,
  },
}
