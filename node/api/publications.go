package api

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// publications serves the documents that sites publish to those below them.
type publications struct {
	apipb.UnimplementedPublicationsServer
	backend Backend
}

func (p *publications) ListPublications(ctx context.Context, r *apipb.ListPublicationsRequest) (*apipb.ListPublicationsResponse, error) {
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	scope := pageScope{"publications", r.GetPublisher()}
	after, err := scope.open(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &apipb.ListPublicationsResponse{}
	err = p.backend.Read(ctx, false, func(reader *store.Reader) error {
		heads, next, err := reader.Publications(desk.SiteID(r.GetPublisher()), after, size)
		if err != nil {
			return fmt.Errorf("list publications: %w", err)
		}
		for _, head := range heads {
			answer.Publications = append(answer.Publications, publicationMessage(head))
		}
		answer.NextPageToken = scope.seal(next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (p *publications) GetPublication(ctx context.Context, r *apipb.GetPublicationRequest) (*apipb.Publication, error) {
	return p.read(ctx, desk.SiteID(r.GetPublisher()), r.GetKind(), r.GetName())
}

// read returns a document as it is now.
func (p *publications) read(ctx context.Context, publisher desk.SiteID, kind, name string) (*apipb.Publication, error) {
	var found *deskpb.Publication
	err := p.backend.Read(ctx, false, func(reader *store.Reader) (err error) {
		found, err = reader.Publication(publisher, kind, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, unpublished(p.backend.Site(), publisher, kind, name)
	}
	return publicationMessage(found), nil
}

func unpublished(here, publisher desk.SiteID, kind, name string) error {
	return desk.Refuse(desk.NotFound, "NOT_PUBLISHED", "%s knows no %.40s %.128q of %.20s; list the publications", here, kind, name, publisher)
}

func (p *publications) PutPublication(ctx context.Context, r *apipb.PutPublicationRequest) (*apipb.Publication, error) {
	return p.put(ctx, &deskpb.Publication{
		Kind: r.GetKind(), Name: r.GetName(), Title: r.GetTitle(), MediaType: r.GetMediaType(), Body: r.GetBody(),
	})
}

func (p *publications) RemovePublication(ctx context.Context, r *apipb.RemovePublicationRequest) (*apipb.Publication, error) {
	return p.put(ctx, &deskpb.Publication{Kind: r.GetKind(), Name: r.GetName(), Removed: true})
}

// put has the log publish a version and returns it.
func (p *publications) put(ctx context.Context, document *deskpb.Publication) (*apipb.Publication, error) {
	if document.Kind == tiers.PolicyKind && !document.Removed {
		return nil, desk.RefuseField("kind", "a policy is published by POST /api/v1/policy or tierdesk policy apply, which check it")
	}
	actor := callerOf(ctx).actor
	if document.Kind == tiers.PolicyKind { // to take a policy back is to apply another one
		if err := desk.May(actor, desk.PolicyApply); err != nil {
			return nil, err
		}
	}
	document.Actor = actor.GetUser()
	_, err := p.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PutPublication{
		PutPublication: &deskpb.PutPublication{Publication: document},
	}})
	if err != nil {
		return nil, err
	}
	return p.read(ctx, p.backend.Site(), document.Kind, document.Name)
}

func (p *publications) ListDeliveries(ctx context.Context, r *apipb.ListDeliveriesRequest) (*apipb.ListDeliveriesResponse, error) {
	answer := &apipb.ListDeliveriesResponse{}
	publisher := desk.SiteID(r.GetPublisher())
	err := p.backend.Read(ctx, false, func(reader *store.Reader) error {
		head, err := reader.PublicationHead(publisher, r.GetKind(), r.GetName())
		if err != nil {
			return fmt.Errorf("read a publication: %w", err)
		}
		if head == nil {
			return unpublished(p.backend.Site(), publisher, r.GetKind(), r.GetName())
		}
		receipts, err := tiers.Receipts(reader, publisher, head.Kind, head.Name)
		if err != nil {
			return err
		}
		answer.Version = head.Version
		for _, receipt := range receipts {
			answer.Deliveries = append(answer.Deliveries, deliveryMessage(receipt, head.Version))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func deliveryMessage(receipt tiers.Receipt, version uint64) *apipb.Delivery {
	d := &apipb.Delivery{Site: receipt.Site.GetId(), SiteName: receipt.Site.GetName(), State: apipb.Delivery_PENDING}
	if receipt.Delivery == nil {
		return d
	}
	d.Version, d.Time = receipt.Delivery.GetVersion(), moment(receipt.Delivery.GetTime())
	d.State = apipb.Delivery_DELIVERED
	if d.Version < version {
		d.State = apipb.Delivery_OUTDATED
	}
	return d
}

func publicationMessage(p *deskpb.Publication) *apipb.Publication {
	return &apipb.Publication{
		Publisher: p.GetPublisher(), Kind: p.GetKind(), Name: p.GetName(), Version: p.GetVersion(), Removed: p.GetRemoved(),
		Title: p.GetTitle(), MediaType: p.GetMediaType(), Body: p.GetBody(), Size: int32(p.GetSize()),
		Actor: p.GetActor(), ActorName: p.GetActorName(), Time: moment(p.GetTime()),
	}
}

// moment is a time in microseconds since 1970, nil for none.
func moment(micros int64) *timestamppb.Timestamp {
	if micros == 0 {
		return nil
	}
	return timestamppb.New(time.UnixMicro(micros))
}
