/** The rules of alerts, with their thresholds and hold times. */
import type { AlertRuleView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { durationOf } from '../format/time.ts'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Card } from '../ui/card.tsx'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Select } from '../ui/select.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { tell } from '../ui/toast.tsx'

export function AlertRules() {
  const answer = useAnswer('alert rules', (signal) => call('listAlertRules', { signal }), { everyMs: 30_000 })
  const [changing, setChanging] = useState<AlertRuleView>()
  return (
    <Card title="Rules" about="An alert opens after the hold time, and is resolved after the clear time.">
      <Answered answer={answer}>
        {({ rules }) => (
          <Table
            caption="Rules of alerts"
            columns={columns(setChanging)}
            rows={rules}
            keyOf={({ name }) => name}
          />
        )}
      </Answered>
      {changing && (
        <ChangeRule rule={changing} onDone={answer.reload} onClose={() => setChanging(undefined)} />
      )}
    </Card>
  )
}

const columns = (change: (rule: AlertRuleView) => void): TableColumn<AlertRuleView>[] => [
  {
    title: 'Rule',
    kind: 'wide',
    cell: ({ title, means }) => (
      <div>
        <strong>{title}</strong>
        <div class="alert-text">{means}</div>
      </div>
    ),
  },
  { title: 'Severity', kind: 'fixed', cell: ({ severity }) => severity },
  {
    title: 'Threshold',
    cell: ({ threshold, unit, opens }) => (threshold === null ? '–' : `${opens} ${threshold} ${unit}`),
  },
  { title: 'Hold', kind: 'fixed', cell: ({ holdSeconds }) => durationOf(holdSeconds * 1000) },
  { title: 'Clear', kind: 'fixed', cell: ({ clearSeconds }) => durationOf(clearSeconds * 1000) },
  {
    title: 'State',
    kind: 'fixed',
    cell: ({ enabled, isChanged }) =>
      enabled ? isChanged ? <Badge tone="accent">changed</Badge> : 'on' : <Badge tone="warn">off</Badge>,
  },
  {
    title: 'Actions',
    kind: 'actions',
    needs: 'changeAlertRule',
    cell: (rule) => (
      <button
        type="button"
        class="button small"
        aria-label={`Change ${rule.title}`}
        onClick={() => change(rule)}
      >
        Change
      </button>
    ),
  },
]

interface ChangeProps {
  rule: AlertRuleView
  onDone: () => void
  onClose: () => void
}

function ChangeRule({ rule, onDone, onClose }: ChangeProps) {
  const [state, setState] = useState(rule.enabled ? 'on' : 'off')
  const [threshold, setThreshold] = useState(String(rule.threshold ?? ''))
  const [hold, setHold] = useState(String(rule.holdSeconds))
  const [clear, setClear] = useState(String(rule.clearSeconds))
  const isNumber = (text: string) => text.trim() !== '' && Number.isFinite(Number(text))
  return (
    <ConfirmDialog
      title={`Change ${rule.title}`}
      action="Save"
      isComplete={[hold, clear, ...(rule.threshold === null ? [] : [threshold])].every(isNumber)}
      onConfirm={async () => {
        await call('changeAlertRule', {
          params: { rule: rule.name },
          body: {
            enabled: state === 'on',
            holdSeconds: Number(hold),
            clearSeconds: Number(clear),
            ...(rule.threshold !== null && { threshold: Number(threshold) }),
          },
        })
        onDone()
        tell('good', `The rule ${rule.title} is changed.`)
      }}
      onClose={onClose}
    >
      <Select
        label="State"
        options={[
          ['on', 'on'],
          ['off', 'off: open alerts are resolved'],
        ]}
        chosen={state}
        onChoice={setState}
      />
      {rule.threshold !== null && (
        <Field
          label={`Threshold: ${rule.opens ?? ''} … ${rule.unit ?? ''}`}
          type="number"
          value={threshold}
          onValue={setThreshold}
        />
      )}
      <Field label="Hold time in seconds" type="number" value={hold} onValue={setHold} />
      <Field label="Clear time in seconds" type="number" value={clear} onValue={setClear} />
    </ConfirmDialog>
  )
}
