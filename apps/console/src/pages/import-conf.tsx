/** Imports an imapproxy.conf into a draft, after showing a report for each line. */
import type { ConfReport } from '@imapfleet/api'
import { useId, useState } from 'preact/hooks'
import { ProblemError } from '@imapfleet/client'
import { call, sentenceOf } from '../api/client.ts'
import { useCheck } from '../api/use-check.ts'
import { amountOf } from '../format/number.ts'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Note } from '../ui/note.tsx'

interface ImportProps {
  onTaken: (set: ConfReport['set']) => void
  onClose: () => void
}

export function ImportConf({ onTaken, onClose }: ImportProps) {
  const id = useId()
  const [text, setText] = useState('')
  const read = useCheck(text.trim() === '' ? undefined : text, (signal) =>
    call('importConf', { body: { text }, signal }),
  )
  return (
    <ConfirmDialog
      title="Import an imapproxy.conf"
      action="Add to draft"
      isComplete={read.data !== undefined}
      onConfirm={async () => {
        if (read.data) onTaken(read.data.set)
        await Promise.resolve()
      }}
      onClose={onClose}
    >
      <div class="import-conf">
        <div class="field">
          <label for={`${id}-file`}>File</label>
          <input
            id={`${id}-file`}
            type="file"
            onChange={(event) => void event.currentTarget.files?.[0]?.text().then(setText)}
          />
        </div>
        <div class="field">
          <label for={`${id}-text`}>Or paste its text</label>
          <textarea
            id={`${id}-text`}
            class="input mono"
            rows={6}
            spellcheck={false}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </div>
        <div class="plan" role="status">
          {read.problem ? <Problems problem={read.problem} /> : read.data && <Report read={read.data} />}
        </div>
      </div>
    </ConfirmDialog>
  )
}

function Problems({ problem }: { problem: Error }) {
  const problems = problem instanceof ProblemError ? problem.problems : []
  if (problems.length < 2) return <Note tone="bad">{sentenceOf(problem)}</Note>
  return (
    <ul class="note bad">
      {problems.map(({ key, message }) => (
        <li key={`${key} ${message}`}>
          <code>{key}</code> {message}
        </li>
      ))}
    </ul>
  )
}

const Report = ({ read: { set, report, kept } }: { read: ConfReport }) => (
  <>
    <p class="small">
      {amountOf(Object.keys(set).length, 'key')} added to your changes; nothing is written yet.
      {kept.length > 0 &&
        ` The fleet cannot set these, keep them in the file of each host: ${kept.join(', ')}.`}
    </p>
    <ul class="conf-report" aria-label="Report for each line" tabIndex={0}>
      {report.map(({ keyword, line, value, became, note }) => (
        <li key={`${keyword} ${line ?? ''}`}>
          <code>{line === undefined ? `(absent) ${keyword}` : `${line}: ${keyword} ${value ?? ''}`}</code>
          {became.map((each) => (
            <div key={each} class="come">
              {each}
            </div>
          ))}
          {note !== undefined && <div class="soft">{note}</div>}
        </li>
      ))}
    </ul>
  </>
)
