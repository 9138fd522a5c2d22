package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"

	"github.com/spf13/cobra"

	"barrow/web"
)

// serveFlags say where the page is.
type serveFlags struct {
	addr, token string
}

func newServe(c *common) *cobra.Command {
	f := &serveFlags{}
	cmd := &cobra.Command{
		Use:   "serve [DIR]",
		Short: "Show runs and wafers in a browser",
		Long: `Serves a page over a folder, this one by default: the runs in it, as they go on.
It prints the address that it took, and ends by Ctrl-C. It reads the folder alone and
writes nothing to it.

The address is one that this machine alone can reach. Any other one needs --token, a
text that a reader must know, at least 16 characters: the address that is printed has
it. The page is not encrypted: in a network that others share, reach it by a tunnel
(ssh -L 8080:127.0.0.1:8080 HOST) in place of --addr.`,
		Example: `  barrow serve runs
  barrow serve runs --addr 127.0.0.1:8080
  barrow serve runs --addr 0.0.0.0:8080 --token "$(openssl rand -hex 16)"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return f.run(cmd, c, dir)
		},
	}
	cmd.Flags().StringVar(&f.addr, "addr", "127.0.0.1:0", "`HOST:PORT` to listen at; port 0 takes any that is free")
	cmd.Flags().StringVar(&f.token, "token", "", "`text` that a reader must know, at least 16 characters; needed where other machines reach the address")
	return cmd
}

func (f *serveFlags) run(cmd *cobra.Command, c *common, dir string) error {
	s, err := web.New(web.Settings{Dir: dir, Token: f.token, Threads: c.threads})
	if err != nil {
		return err
	}
	defer s.Close()
	l, err := net.Listen("tcp", f.addr)
	if err != nil {
		return fmt.Errorf("--addr: %w", err)
	}
	if !web.Local(l.Addr()) && f.token == "" {
		l.Close()
		return fmt.Errorf("--addr %s: other machines reach it, so that it needs --token", f.addr)
	}
	at := url.URL{Scheme: "http", Host: l.Addr().String(), Path: "/"}
	if f.token != "" {
		at.RawQuery = url.Values{"token": {f.token}}.Encode()
	}
	out := cmd.OutOrStdout()
	if c.json {
		err = json.NewEncoder(out).Encode(map[string]string{"address": at.String()})
	} else {
		_, err = fmt.Fprintln(out, at.String())
	}
	if err != nil {
		l.Close()
		return err
	}
	return s.Serve(cmd.Context(), l)
}
