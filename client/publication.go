package client

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) publicationCommand() *cobra.Command {
	return c.group("publication", "发布: documents that a site publishes to every site below it",
		c.putPublication(), c.listPublications(), c.showPublication(), c.removePublication(), c.deliveries())
}

// maxPublishedBytes is more than a document may have; what is longer is not read to its end.
const maxPublishedBytes = 1 << 20

func (c *console) putPublication() *cobra.Command {
	q := &apipb.PutPublicationRequest{}
	var file string
	cmd := &cobra.Command{Use: "put KIND NAME", Short: "发布: publish a new version of a document of this site", Args: takes("KIND", "NAME")}
	cmd.Flags().StringVar(&file, "file", "-", "the document; - for standard input")
	cmd.Flags().StringVar(&q.Title, "title", "", "the title that people read")
	cmd.Flags().StringVar(&q.MediaType, "type", "", "the media type, such as text/markdown (text/plain)")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		body, err := document(cmd.InOrStdin(), file)
		if err != nil {
			return err
		}
		q.Kind, q.Name, q.Body = args[0], args[1], body
		p, err := node.publications.PutPublication(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(p, func() string {
			return fmt.Sprintf(out.say(phrase{"已发布 %s %s，版本 %d\n", "%s %s was published, version %d\n"}),
				oneLine(p.GetKind()), oneLine(p.GetName()), p.GetVersion())
		})
	})
	return cmd
}

// document reads a file, or standard input for "-".
func document(in io.Reader, file string) ([]byte, error) {
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, Usage("--file: %v", err)
		}
		defer opened.Close()
		in = opened
	}
	body, err := io.ReadAll(io.LimitReader(in, maxPublishedBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the document from %s: %w", file, err)
	case len(body) > maxPublishedBytes:
		return nil, Usage("the document is over %d bytes: a publication takes at most 192 KiB", maxPublishedBytes)
	}
	return body, nil
}

func (c *console) listPublications() *cobra.Command {
	q := &apipb.ListPublicationsRequest{PageSize: maxPageSize}
	cmd := &cobra.Command{Use: "list", Short: "列表: the documents of this site and of those above it", Args: takes()}
	cmd.Flags().StringVar(&q.Publisher, "publisher", "", "only the documents of that site")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		columns, first := &table{}, true
		for {
			page, err := node.publications.ListPublications(ctx, q)
			if err != nil {
				return err
			}
			err = out.answer(page, func() string { return out.publications(columns, page.GetPublications(), first) })
			if err != nil || page.GetNextPageToken() == "" {
				return err
			}
			q.PageToken, first = page.GetNextPageToken(), false
		}
	})
	return cmd
}

func (p *printer) publications(columns *table, all []*apipb.Publication, first bool) string {
	if first && len(all) == 0 {
		return p.say(phrase{"没有发布的内容", "nothing is published"}) + "\n"
	}
	var rows [][]string
	if first {
		rows = append(rows, p.header(phrase{"发布站点", "PUBLISHER"}, phrase{"类别", "KIND"}, phrase{"名称", "NAME"},
			phrase{"版本", "VERSION"}, phrase{"时间", "TIME"}, phrase{"字节", "BYTES"}, phrase{"已撤销", "REMOVED"}, phrase{"标题", "TITLE"}))
	}
	for _, d := range all {
		rows = append(rows, []string{d.GetPublisher(), d.GetKind(), d.GetName(), fmt.Sprint(d.GetVersion()), p.when(d.GetTime()),
			fmt.Sprint(d.GetSize()), p.yes(d.GetRemoved()), d.GetTitle()})
	}
	return columns.layOut(rows)
}

func (c *console) showPublication() *cobra.Command {
	return &cobra.Command{Use: "show PUBLISHER KIND NAME", Short: "查看: print a document", Args: takes("PUBLISHER", "KIND", "NAME"),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
			p, err := node.publications.GetPublication(ctx, &apipb.GetPublicationRequest{Publisher: args[0], Kind: args[1], Name: args[2]})
			if err != nil {
				return err
			}
			return out.answer(p, func() string {
				if p.GetRemoved() {
					return fmt.Sprintf(out.say(phrase{"%s 已于 %s 撤销 %s\n", "%s took it back at %s: %s\n"}), p.GetPublisher(), out.when(p.GetTime()), p.GetName())
				}
				return string(p.GetBody())
			})
		})}
}

func (c *console) removePublication() *cobra.Command {
	return &cobra.Command{Use: "remove KIND NAME", Short: "撤销: take a document of this site back, everywhere", Args: takes("KIND", "NAME"),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
			p, err := node.publications.RemovePublication(ctx, &apipb.RemovePublicationRequest{Kind: args[0], Name: args[1]})
			if err != nil {
				return err
			}
			return out.answer(p, func() string {
				return fmt.Sprintf(out.say(phrase{"已撤销 %s %s\n", "%s %s was taken back\n"}), oneLine(p.GetKind()), oneLine(p.GetName()))
			})
		})}
}

func (c *console) deliveries() *cobra.Command {
	return &cobra.Command{Use: "deliveries PUBLISHER KIND NAME", Short: "送达: which site has which version of a document",
		Args: takes("PUBLISHER", "KIND", "NAME"),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
			all, err := node.publications.ListDeliveries(ctx, &apipb.ListDeliveriesRequest{Publisher: args[0], Kind: args[1], Name: args[2]})
			if err != nil {
				return err
			}
			return out.answer(all, func() string { return out.deliveries(all.GetDeliveries()) })
		})}
}

func (p *printer) deliveries(all []*apipb.Delivery) string {
	rows := [][]string{p.header(phrase{"站点", "SITE"}, phrase{"名称", "NAME"}, phrase{"状态", "STATE"}, phrase{"版本", "VERSION"}, phrase{"时间", "TIME"})}
	for _, d := range all {
		rows = append(rows, []string{d.GetSite(), d.GetSiteName(), p.name(d.GetState()), fmt.Sprint(d.GetVersion()), p.when(d.GetTime())})
	}
	return new(table).layOut(rows)
}
