package console

import (
	"net/url"

	"github.com/tierdesk/tierdesk/node/web/page"
)

// serveFile sends an attachment.
func serveFile(v *page.Visit) error {
	return v.SendFile("/api/v1/tickets/" + url.PathEscape(v.R.PathValue("number")) + "/attachments/" + url.PathEscape(v.R.PathValue("id")))
}
