package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tierdesk/tierdesk/node/config"
)

// stopTime bounds the end of a demo.
const stopTime = 20 * time.Second

// Run shows the product: it starts the tree, fills it with samples, and serves until the context ends. With once it
// plays the main job instead and returns its outcome.
func Run(ctx context.Context, o Options, once bool) (err error) {
	if err := o.validate(); err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "三级服务台 tierdesk: starting %d sites …\n", len(o.Tree))
	d, err := Start(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		err = errors.Join(err, d.Stop(stopCtx))
	}()
	if err := d.Seed(ctx); err != nil {
		return err
	}
	if once {
		if err := d.Play(ctx); err != nil {
			return err
		}
		fmt.Fprintln(o.Out, "\n通过 · passed")
		return nil
	}
	d.sayWhereToLook()
	return d.Fault(ctx)
}

// sayWhereToLook prints addresses and log-ins.
func (d *Demo) sayWhereToLook() {
	out := d.options.Out
	fmt.Fprintf(out, "\n打开浏览器 · open in a browser:\n")
	for _, s := range d.sites {
		for _, n := range s.nodes {
			fmt.Fprintf(out, "  %s %s  http://%s  (gRPC %s)\n", s.ID, s.Name, n.HTTPAddr(), n.GRPCAddr())
		}
	}
	path, err := d.options.Tree.path()
	if err != nil {
		return // validate has found one
	}
	sayPages(out, "http://"+d.site(path[0].ID).nodes[0].HTTPAddr())
	fmt.Fprintf(out, "\n登录 · sign in: %s / %s (administrator of every site)\n", adminUser, d.password)
	for _, spec := range path {
		for _, p := range staff[spec.Tier] {
			fmt.Fprintf(out, "  %s %s: %s / %s (%s)\n", spec.ID, p.display, p.name, d.password, p.may())
		}
	}
	fmt.Fprintf(out, `
命令行 · from a terminal:
  export TIERDESK_SERVER=%[1]s
  export TIERDESK_TOKEN=$(TIERDESK_PASSWORD=%[2]s tierdesk token create --user %[4]s)
  tierdesk session whoami                     权限 who %[4]s is and what that role may do
  tierdesk ticket list                        工单 what is open, late, on hold, on its way
  tierdesk notices list                       通知 what %[4]s was told
  tierdesk callback list                      回访 who has to be called back
  tierdesk round list                         巡检 the next inspection opens within two minutes
  tierdesk duty list                          值班 who is on duty
  tierdesk policy show --own                  制度 what this county has laid down
  tierdesk site links                         链路 the line to the city
  TIERDESK_TOKEN=$(TIERDESK_PASSWORD=%[2]s tierdesk token create --user %[5]s) tierdesk audit list
                                              审计 what people did beyond the tickets, as the auditor sees it

日志 · log: %[3]s
Ctrl-C 结束 · to end
`, d.site(path[0].ID).grpc()[0], d.password, d.log.Name(), countyManager, countyAuditor)
}

// sayPages prints where the pages of an office are, and who looks at them.
func sayPages(out io.Writer, at string) {
	fmt.Fprintf(out, `
页面 · pages:
  %[1]s/desk    工作台 the console, %[2]s
  %[1]s/help    运维网站 the support site, %[3]s or anybody without an account
  %[1]s/leader  运行态势 what is late and where, %[4]s
  %[1]s/wall    大屏 the wall, %[4]s
  %[1]s/admin   管理 administration, %[5]s
`, at, staff[config.County][0].name, countyReporter, countyLeader, adminUser)
}
