# frozen_string_literal: true

require "active_support/lazy_load_hooks"

module CdcAudit
  # Announces who acts before the first statement of a transaction, and gives a bare write a transaction for it.
  module Announcing
    ANNOUNCE = "SELECT capture.announce($1::text, $2::text, $3::jsonb)"
    # Blanks, comments and brackets.
    GAP = %r{(?:[\s(]|--[^\n]*(?:\n|\z)|/\*.*?\*/)*+}m
    FIRST_WORD = /\A#{GAP}([a-z]+)/i
    # Such a statement may take back an announcement, as COMMIT AND CHAIN does, and ROLLBACK TO a savepoint.
    UNDOING = /(?:\A|;)#{GAP}(?:commit|end|abort|rollback)\b/i
    # No actor's words: one announcement or another may hold.
    UNSURE = Words.new("").freeze
    CHANGING = %w[insert update delete merge truncate copy].freeze
    # How Active Record names its own questions about tables.
    SCHEMA = "SCHEMA"
    # An announcement takes a snapshot. No isolation level can be set behind one, and a read behind a lock would be too old.
    SILENT = %w[set lock reset show release deallocate discard begin start commit end abort rollback prepare].freeze

    # Every statement of the adapter comes through here, also BEGIN and SAVEPOINT.
    def log(sql, name = "SQL", *rest, **options, &block)
      # Before 7.1 a thread that asks about a table first may do so on the connection of another thread.
      return super if name == SCHEMA

      # From 7.1 on, the BEGIN of a lazy transaction would come behind this hook, and its first write would look like a bare one.
      # Statements of this name begin and end transactions themselves.
      materialize_transactions unless name == "TRANSACTION"
      case cdc_audit_connection.transaction_status
      when PG::PQTRANS_INTRANS
        # Who acts is asked no sooner: the question may read the database, which takes a snapshot as well.
        cdc_audit_announce_news unless SILENT.include?(cdc_audit_first_word(sql))
      when PG::PQTRANS_IDLE, PG::PQTRANS_UNKNOWN
        # The connection may be lost; from 7.1 on, a bare write gets a new one.
        @cdc_audit_told = nil
        block = cdc_audit_alone(block) if cdc_audit_changes?(sql)
      end
      @cdc_audit_told = UNSURE if @cdc_audit_told && sql.match?(UNDOING)
      super(sql, name, *rest, **options, &block)
    end

    private

    def cdc_audit_connection
      # `raw_connection` would end Active Record's lazy transactions.
      verify! unless @raw_connection || @connection
      @raw_connection || @connection
    end

    def cdc_audit_first_word(sql) = sql[FIRST_WORD, 1].to_s.downcase

    def cdc_audit_changes?(sql)
      word = cdc_audit_first_word(sql)
      CHANGING.include?(word) || (word == "with" && sql.match?(/\b(?:insert|update|delete|merge)\b/i))
    end

    # From 7.1 on, it makes sure of the connection and turns the driver's errors into Active Record's.
    def cdc_audit_with_connection(&work)
      respond_to?(:with_raw_connection, true) ? with_raw_connection(&work) : work.call(cdc_audit_connection)
    end

    def cdc_audit_announce_news
      words = CdcAudit.current&.words
      return if words.nil? || words == @cdc_audit_told
      # Nobody is what a transaction begins with.
      return if words.nobody? && @cdc_audit_told.nil?

      cdc_audit_with_connection { |connection| connection.exec_params(ANNOUNCE, words.to_a) }
      @cdc_audit_told = words
    end

    def cdc_audit_alone(block)
      words = CdcAudit.current&.words
      return block if words.nil? || words.nobody?

      lambda do |*arguments|
        cdc_audit_with_connection do |connection|
          connection.transaction do
            connection.exec_params(ANNOUNCE, words.to_a)
            block.call(*arguments)
          end
        end
      end
    end
  end

  ActiveSupport.on_load(:active_record) do
    require "active_record/connection_adapters/postgresql_adapter"
    ::ActiveRecord::ConnectionAdapters::PostgreSQLAdapter.prepend(Announcing)
  end
end
