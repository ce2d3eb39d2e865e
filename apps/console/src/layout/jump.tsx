/** Ctrl-K: a field that finds pages, edges, users and revisions, and jumps to them. */
import { signal } from '@preact/signals'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { ifAllowed } from '../api/allowed.ts'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { readWholeFleet } from '../fleet/all-edges.ts'
import { jumpPlaces, type JumpPlace } from '../fleet/jump-places.ts'
import { navigate } from '../router/location.ts'
import { Failed, Loading } from '../ui/state.tsx'
import { openEntries } from './page-entries.ts'
import './jump.css'

const isOpen = signal(false)

export const openJump = (): void => {
  isOpen.value = true
}

/** `⌘` on Apple's keyboards. */
const modifier = navigator.platform.startsWith('Mac') ? '⌘' : 'Ctrl'

export const JumpButton = () => (
  <button
    type="button"
    class="button small jump-button"
    aria-keyshortcuts="Control+K Meta+K"
    onClick={openJump}
  >
    <span>Jump to …</span>
    <kbd>{modifier} K</kbd>
  </button>
)

export const Jump = () => (isOpen.value ? <JumpDialog /> : null)

function JumpDialog() {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const [isEntered, setIsEntered] = useState(false)
  const { data, problem, reload } = useAnswer('places to jump to', async (signalOfIt) => {
    const [{ edges }, { revisions }] = await Promise.all([
      ifAllowed(readWholeFleet(call, signalOfIt), { edges: [], problems: [] }),
      ifAllowed(call('listRevisions', { query: { limit: 200 }, signal: signalOfIt }), {
        revisions: [],
        next: null,
      }),
    ])
    return { edges, revisions }
  })
  useEffect(() => {
    dialog.current?.showModal()
    // Also at the end of the session, which removes it without closing it.
    return () => {
      isOpen.value = false
    }
  }, [])
  const places = jumpPlaces(text, { pages: openEntries(), ...(data ?? { edges: [], revisions: [] }) })
  const chosen = Math.min(at, places.length - 1)
  const optionId = (index: number) => `${id}-${index}`
  useEffect(() => {
    document.getElementById(optionId(chosen))?.scrollIntoView({ block: 'nearest' })
  }, [chosen])

  const isLoading = data === undefined && problem === undefined
  const go = (place: JumpPlace | undefined) => {
    setIsEntered(false)
    if (!place) return
    dialog.current?.close()
    navigate(place.href)
  }
  useEffect(() => {
    if (isEntered && !isLoading) go(places[chosen])
  }, [isEntered, isLoading])
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined && places.length > 0) setAt((chosen + step + places.length) % places.length)
    // An edge or a revision that is still being loaded would come before the user of this name.
    else if (event.key === 'Enter' && isLoading && places[chosen]?.kind !== 'page') setIsEntered(true)
    else if (event.key === 'Enter') go(places[chosen])
    else return
    event.preventDefault()
  }
  return (
    <dialog
      ref={dialog}
      class="dialog jump"
      aria-label="Jump to"
      onClose={() => (isOpen.value = false)}
      // Outside of its content.
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <input
        class="input"
        type="text"
        role="combobox"
        aria-label="Page, edge, user or revision"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        {...(places.length > 0 && { 'aria-activedescendant': optionId(chosen) })}
        placeholder="Page, edge, user or revision"
        autocomplete="off"
        spellcheck={false}
        autofocus
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value)
          setAt(0)
          setIsEntered(false)
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={`${id}-list`} role="listbox" aria-label="Places">
        {places.map((place, index) => (
          <li
            key={place.href}
            id={optionId(index)}
            role="option"
            aria-selected={index === chosen}
            onClick={() => go(place)}
            onPointerMove={() => setAt(index)}
          >
            <span class="kind">{place.kind}</span>
            <strong>{place.title}</strong>
            <span class="soft">{place.remark}</span>
          </li>
        ))}
      </ul>
      {isLoading && text !== '' && <Loading />}
      {problem && <Failed problem={problem} onRetry={reload} />}
      {data && places.length === 0 && <p class="state">Nothing has this name.</p>}
    </dialog>
  )
}
