package signin

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// browser is somebody's browser: it keeps cookies and follows redirects.
type browser struct {
	t    *testing.T
	site *site
	http *http.Client
}

func newBrowser(t *testing.T, s *site) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, site: s, http: &http.Client{Jar: jar, Timeout: patience}}
}

// visit opens an address and returns where that ended: the status, the page's words, and its address.
func (b *browser) visit(address string) (status int, words string, at *url.URL) {
	b.t.Helper()
	response, err := b.http.Get(address)
	if err != nil {
		b.t.Fatal(err)
	}
	return response.StatusCode, b.read(response), response.Request.URL
}

// submit sends a form to the site.
func (b *browser) submit(path string, form url.Values) (status int, words string) {
	b.t.Helper()
	response, err := b.http.PostForm(b.site.base+path, form)
	if err != nil {
		b.t.Fatal(err)
	}
	return response.StatusCode, b.read(response)
}

// read returns the words of a page.
func (b *browser) read(response *http.Response) string {
	b.t.Helper()
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(string(page)))
	if err != nil {
		b.t.Fatal(err)
	}
	var text strings.Builder
	for node := range root.Descendants() {
		if node.Type == html.TextNode {
			text.WriteString(" " + strings.TrimSpace(node.Data))
		}
	}
	return text.String()
}

// session is the token of the browser's session; empty for none.
func (b *browser) session() string {
	b.t.Helper()
	base, err := url.Parse(b.site.base)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, cookie := range b.http.Jar.Cookies(base) {
		if cookie.Name == "tierdesk_330106" {
			return cookie.Value
		}
	}
	return ""
}
