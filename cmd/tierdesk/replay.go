package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/client"
	"github.com/tierdesk/tierdesk/replay"
)

// replayCommand plays real incidents over a running tree.
func replayCommand() *cobra.Command {
	o := replay.PlayOptions{Password: os.Getenv("TIERDESK_PASSWORD")}
	command := &cobra.Command{
		Use:   "replay FILE",
		Short: "回放: replay the incidents of the BPI Challenge 2013 log over a county, a city and a province",
		Long: "回放: replay the incidents of the BPI Challenge 2013 log over a county, a city and a province\n\n" +
			"FILE is a CSV file with a row per status change, plain or gzipped. Support line 1 is the county, 2 the city, 3 the\n" +
			"province. At the end all three sites are compared. The password of the user is read from TIERDESK_PASSWORD and is\n" +
			"the same at all three sites.",
		Args: client.OneArgument("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			o.Path, o.Out = args[0], c.OutOrStdout()
			if o.Password == "" {
				return client.Usage("TIERDESK_PASSWORD is not set: put the password of %s there", o.User)
			}
			return replay.Play(c.Context(), o)
		},
	}
	flags := command.Flags()
	flags.StringSliceVar(&o.Addresses[0], "county", []string{"127.0.0.1:7420"}, "gRPC `addresses` of the county's nodes")
	flags.StringSliceVar(&o.Addresses[1], "city", []string{"127.0.0.1:7410"}, "gRPC `addresses` of the city's nodes")
	flags.StringSliceVar(&o.Addresses[2], "province", []string{"127.0.0.1:7400"}, "gRPC `addresses` of the province's nodes")
	flags.StringVar(&o.User, "user", "admin", "who signs in at all three sites")
	flags.IntVar(&o.Workers, "workers", 32, "incidents played at once")
	return command
}
