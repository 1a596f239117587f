package desk

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// maxAttachments bounds the files of one ticket. Sites that add files while they do not hear of each other may pass it.
const maxAttachments = 100

// checkAttachment leaves out what FileName does beyond it: that goes by tables of characters that grow from one version of
// Unicode to the next, and every node of a site must come to the same.
func checkAttachment(a *deskpb.Attachment) error {
	if strings.ContainsAny(a.GetName(), `/\`) {
		return RefuseField("name", "%.200q is a path; give its last part", a.GetName())
	}
	if size := a.GetSize(); size < 1 || size > MaxFile {
		return RefuseField("size", "a file of %d bytes is not taken; it must have 1 to %d", size, MaxFile)
	}
	if _, err := ContentHash(a); err != nil {
		return RefuseField("sha256", "%.100q is not the SHA-256 of a content in lower-case hexadecimal digits", a.GetSha256())
	}
	return cmp.Or(given("name", a.GetName()), oneLine("name", a.GetName(), MaxFileName), given("mediaType", a.GetMediaType()), oneLine("mediaType", a.GetMediaType(), MaxShort))
}

// ContentHash returns the hash that names an attachment's content, as bytes.
func ContentHash(a *deskpb.Attachment) ([]byte, error) {
	sum, err := hex.DecodeString(a.GetSha256())
	if err != nil || len(sum) != FileHash || hex.EncodeToString(sum) != a.GetSha256() {
		return nil, fmt.Errorf("attachment %s: %.100q is no SHA-256", a.GetId(), a.GetSha256())
	}
	return sum, nil
}

// attach adds a file whose content is here in full. Id, site, actor and time of the attachment are those of the event.
func (w *writer) attach(a *deskpb.Attachment) error {
	visibility := deskpb.Event_EVERYONE
	if a.GetInternal() {
		if w.asker.GetRole() == deskpb.User_REQUESTER {
			return Refuse(PermissionDenied, "INTERNAL_FILE", "only who works here adds files that requesters do not see; send it as any other")
		}
		visibility = deskpb.Event_AGENTS
	}
	if n := len(w.ticket().GetAttachments()); n >= maxAttachments {
		return Refuse(FailedPrecondition, "TOO_MANY_ATTACHMENTS", "ticket %s has %d attachments; put the rest into one archive", w.number(), n)
	}
	sum, err := ContentHash(a)
	if err != nil {
		return err
	}
	blob, err := w.view.File(sum)
	if err != nil {
		return fmt.Errorf("attach %q to ticket %s: %w", a.GetName(), w.number(), err)
	}
	if blob.GetComplete() == 0 || blob.GetSize() != a.GetSize() {
		return Refuse(FailedPrecondition, "CONTENT_MISSING", "%s does not have the %d bytes of %q; send the file again",
			w.here.Site, a.GetSize(), a.GetName())
	}
	return w.remark(&deskpb.Event{
		Type:       deskpb.Event_ATTACHED,
		Visibility: visibility,
		Body: &deskpb.Body{Attachment: &deskpb.Attachment{
			Name: a.GetName(), Size: a.GetSize(), MediaType: a.GetMediaType(), Sha256: a.GetSha256(), Internal: a.GetInternal(),
		}},
	})
}

// foldAttached adds the file in its place by (time, site, id), which no order of arrival can change.
func foldAttached(r *deskpb.Record, e *deskpb.Event) {
	added := proto.CloneOf(e.GetBody().GetAttachment())
	if added == nil {
		return
	}
	added.Id = EventName(e.GetId())
	added.Site, added.Actor, added.Time = e.GetId().GetSite(), e.GetActor(), timestamp(e.GetTime())
	at, _ := slices.BinarySearchFunc(r.Ticket.Attachments, added, func(a, b *deskpb.Attachment) int {
		return cmp.Or(
			a.GetTime().AsTime().Compare(b.GetTime().AsTime()),
			cmp.Compare(a.GetSite(), b.GetSite()),
			cmp.Compare(a.GetId(), b.GetId()))
	})
	r.Ticket.Attachments = slices.Insert(r.Ticket.Attachments, at, added)
}
