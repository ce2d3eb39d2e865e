/** The main navigation. */
import { path } from '../router/location.ts'
import { PageLink } from '../router/link.tsx'
import { Icon } from './icon.tsx'
import { entryOf, openEntries } from './page-entries.ts'

export const Navigation = ({ onGone }: { onGone: () => void }) => (
  <nav id="navigation" aria-label="Pages">
    {openEntries().map((entry) => {
      const { href, title, icon } = entry
      const isHere = entryOf(path.value) === entry
      return (
        <PageLink key={href} href={href} onClick={onGone} {...(isHere ? { 'aria-current': 'page' } : {})}>
          <Icon name={icon} />
          {title}
        </PageLink>
      )
    })}
  </nav>
)
