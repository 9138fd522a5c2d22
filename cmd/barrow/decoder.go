package main

import "github.com/spf13/cobra"

func newDecoder(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "decoder",
		Short: "Decoders that have learned to make images of the chip's frames",
	}
	cmd.AddCommand(newDecoderTable(c))
	return cmd
}
