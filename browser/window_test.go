package browser

import (
	"context"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// stopChromium ends the browser that the tests share.
var stopChromium func()

// started is the Chromium of all people: starting one takes longer than many a test.
var started = sync.OnceValues(func() (context.Context, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium()), chromedp.NoSandbox,
		chromedp.WindowSize(1440, 900), chromedp.Flag("lang", "zh-CN"))
	options = append(options, chromedp.WSURLReadTimeout(starting))
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithBrowserOption(chromedp.WithDialTimeout(starting)))
	stopChromium = func() {
		cancel()
		cancelAllocator()
	}
	return ctx, chromedp.Run(ctx)
})

// window opens a window of its own until the test ends. It shares nothing with any other: it has its own cookies, its own cache and its
// own place for what pages keep.
func window(t *testing.T) context.Context {
	t.Helper()
	all, err := started()
	if err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	browser := cdp.WithExecutor(all, chromedp.FromContext(all).Browser)
	profile, err := target.CreateBrowserContext().Do(browser)
	if err != nil {
		t.Fatalf("open a browser: %v", err)
	}
	t.Cleanup(func() {
		if err := target.DisposeBrowserContext(profile).Do(browser); err != nil {
			t.Errorf("close a browser: %v", err)
		}
	})
	id, err := target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(browser)
	if err != nil {
		t.Fatalf("open a window: %v", err)
	}
	ctx, cancel := chromedp.NewContext(all, chromedp.WithTargetID(id))
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("look at a window: %v", err)
	}
	return ctx
}
