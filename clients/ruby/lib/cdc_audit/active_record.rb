# frozen_string_literal: true

require "active_support/lazy_load_hooks"

module CdcAudit
  # Announces who acts before the first statement of a transaction, and gives a bare write a transaction for it.
  module Announcing
    ANNOUNCE = "SELECT capture.announce($1::text, $2::text, $3::jsonb)"
    FIRST_WORD = %r{\A(?:[\s(]|--[^\n]*(?:\n|\z)|/\*.*?\*/)*+([a-z]+)}mi
    CHANGING = %w[insert update delete merge truncate copy].freeze
    # How Active Record names its own questions about tables.
    SCHEMA = "SCHEMA"
    # An announcement takes a snapshot. No isolation level can be set behind one, and a read behind a lock would be too old.
    SILENT = %w[set lock reset show release deallocate discard begin start commit end abort rollback prepare].freeze

    # Every statement of the adapter comes through here, also BEGIN and SAVEPOINT.
    def log(sql, name = "SQL", *rest, **options, &block)
      # Before 7.1 a thread that asks about a table first may do so on the connection of another thread.
      return super if name == SCHEMA

      act = CdcAudit.current
      connection = cdc_audit_connection
      @cdc_audit_told = nil if connection.transaction_status == PG::PQTRANS_IDLE || cdc_audit_undone?(sql)
      words = connection.transaction_status == PG::PQTRANS_INERROR ? nil : act&.words
      return super unless words

      if connection.transaction_status == PG::PQTRANS_IDLE
        block = cdc_audit_alone(connection, words, block) if cdc_audit_changes?(sql)
      elsif words != @cdc_audit_told && !SILENT.include?(cdc_audit_first_word(sql))
        connection.exec_params(ANNOUNCE, words.to_a)
        @cdc_audit_told = words
      end
      super(sql, name, *rest, **options, &block)
    end

    private

    def cdc_audit_connection
      # `raw_connection` would end Active Record's lazy transactions.
      @raw_connection || @connection || verify! || @raw_connection || @connection
    end

    def cdc_audit_first_word(sql) = sql[FIRST_WORD, 1].to_s.downcase

    def cdc_audit_changes?(sql)
      word = cdc_audit_first_word(sql)
      CHANGING.include?(word) || (word == "with" && sql.match?(/\b(?:insert|update|delete|merge)\b/i))
    end

    def cdc_audit_undone?(sql) = cdc_audit_first_word(sql) == "rollback" && sql.match?(/\bto\b/i)

    def cdc_audit_alone(connection, words, block)
      lambda do |*arguments|
        connection.transaction do
          connection.exec_params(ANNOUNCE, words.to_a)
          block.call(*arguments)
        end
      end
    end
  end

  ActiveSupport.on_load(:active_record) do
    require "active_record/connection_adapters/postgresql_adapter"
    ::ActiveRecord::ConnectionAdapters::PostgreSQLAdapter.prepend(Announcing)
  end
end
