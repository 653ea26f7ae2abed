import { useState } from "preact/hooks";
import { type Change, limits, type Revealed, type RevealRequest, routes } from "../../api";
import { askWithBody, type Trouble } from "../browser/client";
import { troubleFrom } from "../browser/use-answer";
import type { RevealedImages } from "../reading/change-rows";
import { announce } from "./announcer";
import { Dialog } from "./dialog";

interface RevealProps {
  readonly change: Change;
  readonly onRevealed: (revealed: RevealedImages) => void;
}

/** Shows the hidden columns of a change to those who say why; the log of readers keeps it. */
export function RevealButton({ change, onRevealed }: RevealProps) {
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <button type="button" class="quiet-link" onClick={() => setAsking(true)}>
        {`Reveal ${change.masked.join(", ")}…`}
      </button>
      {isAsking && <RevealDialog change={change} onRevealed={onRevealed} onClose={() => setAsking(false)} />}
    </>
  );
}

function RevealDialog({ change, onRevealed, onClose }: RevealProps & { readonly onClose: () => void }) {
  const [reason, setReason] = useState("");
  const [trouble, setTrouble] = useState<Trouble | undefined>();
  const reveal = (event: Event) => {
    event.preventDefault();
    const request: RevealRequest = {
      time: change.time,
      event: change.event,
      columns: change.masked,
      reason: reason.trim(),
    };
    askWithBody<Revealed>(routes.reveal, request)
      .then((revealed) => {
        onRevealed(revealed);
        onClose();
        announce(`${change.masked.join(", ")} revealed.`);
      })
      .catch((error: unknown) => setTrouble(troubleFrom(error)));
  };
  return (
    <Dialog title={`Reveal ${change.masked.join(", ")}`} onClose={onClose}>
      <form onSubmit={reveal}>
        <p>The log keeps that you looked, when, and why.</p>
        <label class="field">
          Why do you need to see it?
          <textarea
            required
            rows={2}
            maxLength={limits.reasonCharacters}
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        {trouble && (
          <p class="trouble-line" role="alert">
            {[trouble.message, ...trouble.help].join(" ")}
          </p>
        )}
        <p class="dialog-buttons">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button is-main" disabled={reason.trim() === ""}>
            Reveal
          </button>
        </p>
      </form>
    </Dialog>
  );
}
