package browser

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// pictures is where the pictures of the documentation go; empty for nowhere.
var pictures = flag.String("pictures", "", "directory for the pictures of the documentation")

// chromium finds the browser; empty for none.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func TestMain(m *testing.M) {
	flag.Parse()
	if chromium() == "" {
		fmt.Fprintln(os.Stderr, "left out: the tests of the pages in a real browser, because Chromium is not here; on Debian: apt-get install chromium")
		if os.Getenv("CI") != "" {
			os.Exit(1)
		}
		if err := flag.Set("test.run", "^$"); err != nil { // so that go test says that nothing was run
			panic(err)
		}
	}
	code := m.Run()
	if stopChromium != nil {
		stopChromium()
	}
	if stopTree != nil {
		stopTree()
	}
	os.Exit(code)
}
