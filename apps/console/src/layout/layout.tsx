/** The frame around every page of a signed-in user. */
import type { ConsoleSession } from '@imapfleet/api'
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { outage } from '../api/client.ts'
import { PageLink } from '../router/link.tsx'
import { AccountMenu } from './account.tsx'
import { AwayBanner } from './away-banner.tsx'
import { Brand } from './icon.tsx'
import { Jump, JumpButton } from './jump.tsx'
import { Navigation } from './navigation.tsx'
import { followShortcuts } from './shortcuts.ts'

export function Layout({ who, children }: { who: ConsoleSession; children: ComponentChildren }) {
  const [isOpen, setOpen] = useState(false)
  useEffect(followShortcuts, [])
  return (
    <>
      <a class="skip" href="#content">
        Skip to content
      </a>
      <div class="frame">
        <header class={`side ${isOpen ? 'open' : ''}`}>
          <PageLink class="brand" href="/">
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
          <AccountMenu who={who} />
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
