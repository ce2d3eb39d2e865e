/** The frame around every page. It cannot be seen before the user is known. */
import type { ConsoleSession } from '@imapfleet/api'
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'
import { outage } from '../api/outage.ts'
import { PageLink } from '../router/link.tsx'
import { AccountMenu } from './account.tsx'
import { AwayBanner } from './away-banner.tsx'
import { Brand } from './icon.tsx'
import { Jump, JumpButton } from './jump.tsx'
import { Navigation } from './navigation.tsx'
import { openEntries } from './page-entries.ts'
import { followShortcuts } from './shortcuts.ts'

interface LayoutProps {
  /** Undefined: not known yet. */
  who: ConsoleSession | undefined
  children: ComponentChildren
}

export function Layout({ who, children }: LayoutProps) {
  const [isOpen, setOpen] = useState(false)
  // With the page, so that no key is lost.
  useLayoutEffect(followShortcuts, [])
  return (
    <>
      <a class="skip" href="#content">
        Skip to content
      </a>
      <div class={who ? 'frame' : 'frame unknown'}>
        <header class={`side ${isOpen ? 'open' : ''}`}>
          <PageLink class="brand" href={openEntries()[0]?.href ?? '/'}>
            <Brand />
            imapfleet
          </PageLink>
          <JumpButton />
          <button
            type="button"
            class="button small menu-button"
            aria-expanded={isOpen}
            aria-controls="navigation"
            onClick={() => setOpen(!isOpen)}
          >
            Menu
          </button>
          <Navigation onGone={() => setOpen(false)} />
          {who && <AccountMenu who={who} />}
        </header>
        <main id="content" class={outage.value ? 'main stale' : 'main'} tabIndex={-1}>
          <AwayBanner />
          {children}
        </main>
      </div>
      <Jump />
    </>
  )
}
