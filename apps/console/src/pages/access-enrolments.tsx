/** Enrolments: the credentials of edges for NATS, issued, shown once, revoked. */
import type { EnrolmentMade, EnrolmentView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { usePages } from '../api/use-pages.ts'
import { validityOf } from '../fleet/validity.ts'
import { choose, search } from '../router/location.ts'
import { PageLink } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Card } from '../ui/card.tsx'
import { Choice } from '../ui/choice.tsx'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Moment } from '../ui/moment.tsx'
import { Older } from '../ui/older.tsx'
import { Select } from '../ui/select.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { tell } from '../ui/toast.tsx'
import { expiries, expirySeconds } from './expiry.ts'
import { NewSecret } from './new-secret.tsx'

const selections = ['valid', 'all'] as const

export function EnrolmentsCard() {
  const [isEnrolling, setEnrolling] = useState(false)
  const [made, setMade] = useState<EnrolmentMade>()
  const [revoking, setRevoking] = useState<EnrolmentView>()
  const selection = search.value.get('enrolments') === 'all' ? 'all' : 'valid'
  const pages = usePages<EnrolmentView, number>('enrolments', async (page, signal) => {
    const { enrolments, next } = await call('listEnrolments', { query: page, signal })
    return { rows: enrolments, next }
  })
  const now = new Date()
  return (
    <Card
      title="Enrolments"
      about="The credential with which an edge connects to NATS. It is shown only when it is issued."
      actions={
        <>
          <Choice
            label="Enrolments to show"
            values={selections}
            chosen={selection}
            onChoice={(next) => choose({ enrolments: next === 'all' ? 'all' : '' })}
          />
          <button type="button" class="button" onClick={() => setEnrolling(true)}>
            Enrol an edge
          </button>
        </>
      }
    >
      <Answered answer={{ data: pages.rows, problem: pages.problem, reload: pages.reload }}>
        {(all) => {
          // A revocation that NATS does not have yet is still to be watched.
          const enrolments = all.filter(
            (each) => selection === 'all' || validityOf(each, now).isValid || isPending(each),
          )
          return (
            <>
              {enrolments.length === 0 ? (
                <Empty title="No valid credential here">
                  {' '}
                  Enrol an edge above, or with <code>imapfleet edges enroll NAME --region REGION</code>. Edges
                  that share a token are not listed.
                </Empty>
              ) : (
                <Table
                  caption="Enrolments"
                  columns={columns(setRevoking)}
                  rows={enrolments}
                  keyOf={({ key }) => key}
                />
              )}
              <Older onClick={pages.older} />
            </>
          )
        }}
      </Answered>
      {isEnrolling && (
        <Enrol
          onMade={(enrolment) => {
            setMade(enrolment)
            pages.reload()
          }}
          onClose={() => setEnrolling(false)}
        />
      )}
      {made && (
        <NewSecret
          title={`The credential of ${made.edge}`}
          about="Keep it now: it is not shown again. On the host of the edge, fleet.credentialsFile names its file."
          secret={made.credentials}
          file={`${made.edge}.creds`}
          onClose={() => setMade(undefined)}
        />
      )}
      {revoking && (
        <ConfirmDialog
          title={`Revoke this credential of ${revoking.edge}?`}
          name={revoking.edge}
          action="Revoke"
          isDangerous
          onConfirm={async () => {
            await call('revokeEnrolments', {
              params: { id: revoking.edge },
              query: { key: revoking.key },
            })
            pages.reload()
            tell('good', `A credential of ${revoking.edge} is revoked.`)
          }}
          onClose={() => setRevoking(undefined)}
        >
          NATS closes the connection of the edge. It continues to serve mail with its last configuration, and
          cannot be reached until it has another credential.
        </ConfirmDialog>
      )}
    </Card>
  )
}

const isPending = ({ revokedAt, enforcedAt }: EnrolmentView) => revokedAt !== null && enforcedAt === null

const columns = (revoke: (enrolment: EnrolmentView) => void): TableColumn<EnrolmentView>[] => [
  {
    title: 'Edge',
    kind: 'head',
    cell: ({ edge }) => <PageLink href={`/edges/${encodeURIComponent(edge)}`}>{edge}</PageLink>,
  },
  { title: 'Region', kind: 'fixed', cell: ({ region }) => region },
  {
    title: 'State',
    kind: 'fixed',
    cell: (enrolment) => {
      const { tone, words } = validityOf(enrolment, new Date())
      return (
        <span class="row">
          <Badge tone={tone}>{words}</Badge>
          {isPending(enrolment) && <Badge tone="bad">not sent to NATS yet</Badge>}
        </span>
      )
    },
  },
  {
    title: 'Expires',
    kind: 'fixed',
    cell: ({ expiresAt }) => (expiresAt === null ? 'never' : <Moment at={expiresAt} />),
  },
  {
    title: 'Key',
    kind: 'fixed',
    cell: ({ key }) => <code title={key}>{`${key.slice(0, 8)}…`}</code>,
  },
  {
    title: 'Issued',
    kind: 'fixed',
    cell: ({ createdAt, createdBy }) => (
      <>
        <Moment at={createdAt} /> by {createdBy}
      </>
    ),
  },
  {
    title: 'Actions',
    kind: 'fixed',
    cell: (enrolment) =>
      enrolment.revokedAt === null && (
        <button
          type="button"
          class="button small danger"
          aria-label={`Revoke the credential of ${enrolment.edge}`}
          onClick={() => revoke(enrolment)}
        >
          Revoke
        </button>
      ),
  },
]

function Enrol({ onMade, onClose }: { onMade: (enrolment: EnrolmentMade) => void; onClose: () => void }) {
  const [edge, setEdge] = useState('')
  const [region, setRegion] = useState('')
  const [expiry, setExpiry] = useState('')
  return (
    <ConfirmDialog
      title="Enrol an edge"
      action="Enrol"
      isComplete={edge.trim() !== '' && region.trim() !== ''}
      onConfirm={async () => {
        const body = { region: region.trim(), expiresInSeconds: expirySeconds(expiry) }
        onMade(await call('enrollEdge', { params: { id: edge.trim() }, body }))
      }}
      onClose={onClose}
    >
      <div class="access-form">
        <Field
          label="Edge"
          value={edge}
          onValue={setEdge}
          placeholder="eu-3"
          autocomplete="off"
          autofocus
          hint="As edge.id in its file."
        />
        <Field label="Region" value={region} onValue={setRegion} placeholder="eu" autocomplete="off" />
        <Select
          label="Valid for"
          options={expiries}
          chosen={expiry}
          onChoice={setExpiry}
          hint="An edge whose credential has expired serves mail, but cannot be reached. Alerts tell before."
        />
      </div>
    </ConfirmDialog>
  )
}
