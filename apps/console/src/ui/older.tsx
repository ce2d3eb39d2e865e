/** Beneath a list that goes on. */
export const Older = ({ onClick }: { onClick: (() => void) | undefined }) =>
  onClick ? (
    <div class="card-body">
      <button type="button" class="button" onClick={onClick}>
        Show older
      </button>
    </div>
  ) : null
