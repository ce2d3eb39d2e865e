/** The main navigation. */
import { path } from '../router/location.ts'
import { PageLink } from '../router/link.tsx'
import { Icon } from './icon.tsx'
import { pageEntries } from './page-entries.ts'

const isWithin = (here: string, root: string) => here === root || here.startsWith(`${root}/`)

export const Navigation = ({ onGone }: { onGone: () => void }) => (
  <nav id="navigation" aria-label="Pages">
    {pageEntries.map(({ href, title, icon, within = href }) => {
      const isHere = path.value === href || isWithin(path.value, within)
      return (
        <PageLink key={href} href={href} onClick={onGone} {...(isHere ? { 'aria-current': 'page' } : {})}>
          <Icon name={icon} />
          {title}
        </PageLink>
      )
    })}
  </nav>
)
